// Reads an AsyncAPI document with the parser of AsyncAPI itself; every error and warning fails.
import { readFile } from 'node:fs/promises';
import { Parser } from '@asyncapi/parser';

const [file] = process.argv.slice(2);
const { document, diagnostics } = await new Parser().parse(await readFile(file, 'utf8'), { source: file });

const SEVERITIES = ['error', 'warning', 'information', 'hint'];
for (const { severity, code, message, path } of diagnostics) {
  console.error(`${SEVERITIES[severity]} ${code} at ${path.join('.') || 'the root'}: ${message}`);
}
const failed = document === undefined || diagnostics.some(({ severity }) => severity <= 1);
console.log(failed ? `${file} is not valid` : `${file} is valid AsyncAPI ${document.version()}`);
process.exit(failed ? 1 : 0);

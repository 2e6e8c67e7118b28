// Reads an AsyncAPI document with the parser of AsyncAPI itself; every error and warning fails.
import { readFile } from 'node:fs/promises';
import { Parser } from '@asyncapi/parser';

const [file] = process.argv.slice(2);
const { document, diagnostics } = await new Parser().parse(await readFile(file, 'utf8'), { source: file });

// 0 is an error and 1 a warning; what comes after is advice, such as to use a newer version of AsyncAPI.
const faults = diagnostics.filter(({ severity }) => severity <= 1);
for (const { code, message, path } of faults) {
  console.error(`${code} at ${path.join('.') || 'the root'}: ${message}`);
}
const failed = document === undefined || faults.length > 0;
console.log(failed ? `${file} is not valid` : `${file} is valid AsyncAPI ${document.version()}`);
process.exit(failed ? 1 : 0);

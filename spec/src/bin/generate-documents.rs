//! Writes `docs/openapi.json` and `docs/asyncapi.json`. With `--check` it writes nothing, and fails when one of them is stale.

use std::{fs, io, path::Path, process::ExitCode};

use i9chat_spec::documents;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let done = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => write(),
        ["--check"] => check(),
        _ => Err("usage: generate-documents [--check]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<(), String> {
    for document in documents::all() {
        fs::write(Path::new(DOCS).join(document.file), document.text)
            .map_err(|error| format!("docs/{} cannot be written: {error}", document.file))?;
        println!("docs/{}", document.file);
    }
    Ok(())
}

fn check() -> Result<(), String> {
    for document in documents::all() {
        let text = match fs::read_to_string(Path::new(DOCS).join(document.file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("docs/{} cannot be read: {error}", document.file));
            }
            text => text.unwrap_or_default(),
        };
        if text != document.text {
            return Err(format!(
                "docs/{} is stale: run `cargo run -p i9chat-spec --bin generate-documents`",
                document.file
            ));
        }
    }
    Ok(())
}

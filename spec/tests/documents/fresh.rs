use std::path::Path;

use i9chat_spec::documents;

#[test]
fn the_files_in_docs_are_fresh() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for document in documents::all() {
        let text = std::fs::read_to_string(docs.join(document.file)).unwrap();
        assert!(
            text == document.text,
            "docs/{} is stale: run `cargo run -p i9chat-spec --bin generate-documents`",
            document.file
        );
    }
}

#[test]
fn the_documents_are_the_same_each_time() {
    assert_eq!(documents::all(), documents::all());
    for document in documents::all() {
        assert!(document.text.ends_with("}\n"));
        assert!(!document.text.contains('\r'));
    }
}

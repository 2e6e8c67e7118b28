//! The configuration as the program reads it: what the environment, which a test in the process cannot set, counts for,
//! and that a wrong value stops the start.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands, its helpers too")]

use std::process::{Command, Output};

use i9chat_server::{node, store::LogStore};

/// Runs the server with these arguments and no environment but this, and expects it to refuse to start.
fn refused(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let output = run(arguments, environment);
    assert_eq!(output.status.code(), Some(2), "it was to be refused: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_i9chat-server"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn a_flag_counts_more_than_the_environment_and_that_more_than_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("i9chat.toml");
    std::fs::write(&path, "listen = \"from-the-file\"\n").unwrap();
    let path = path.to_str().unwrap();
    let environment = [("I9CHAT_LISTEN", "from-the-environment"), ("I9CHAT_CONFIG", path)];
    assert!(refused(&["--listen", "from-a-flag"], &environment).contains("\"from-a-flag\""));
    assert!(refused(&[], &environment).contains("\"from-the-environment\""));
    assert!(refused(&[], &environment[1..]).contains("\"from-the-file\""));
}

#[test]
fn a_wrong_value_in_the_environment_is_named_with_what_to_write_instead() {
    let refusal = refused(&[], &[("I9CHAT_HEARTBEAT_MS", "soon")]);
    assert!(refusal.contains("--heartbeat-ms") && refusal.contains("whole number"), "{refusal}");
    let refusal = refused(&[], &[("I9CHAT_SMTP_URL", "ftp://user:secret@mail.example")]);
    assert!(refusal.contains("smtp://host:port") && !refusal.contains("secret"), "{refusal}");
}

#[test]
fn a_folder_that_cannot_be_made_stops_the_start_by_name() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let data = file.path().join("data");
    let output = run(&["--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(data.to_str().unwrap()), "{said}");
}

#[test]
fn an_address_that_is_taken_stops_the_start_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["--data", folder.path().to_str().unwrap(), "--listen", &address], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
}

#[tokio::test]
async fn a_new_epoch_is_given_to_a_log_that_is_there_and_to_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let missing = run(&["new-epoch", "--data", data], &[]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().contains(data));
    assert!(!std::path::Path::new(data).exists(), "nothing is made in a folder that was named by mistake");

    let epoch = async || node::open_store(data.as_ref()).unwrap().head().await.unwrap().epoch;
    let before = epoch().await;
    let given = run(&["new-epoch", "--data", data], &[]);
    assert!(given.status.success(), "{given:?}");
    assert!(String::from_utf8(given.stdout).unwrap().contains("new epoch"));
    assert_ne!(epoch().await, before);
}

#[test]
fn a_folder_that_another_server_uses_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let lock = node::lock_data(folder.path()).unwrap();
    node::open_store(folder.path()).unwrap();
    for task in [&["--listen", "127.0.0.1:0"][..], &["new-epoch"]] {
        let output = run(&[&["--data", data], task].concat(), &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(data) && said.contains("another server"), "{said}");
    }
    drop(lock);
    assert!(run(&["new-epoch", "--data", data], &[]).status.success());
}

#[cfg(unix)]
#[test]
fn the_data_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    node::open_store(&data).unwrap();
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn help_and_version_are_no_errors() {
    for (flag, part) in [("--help", "I9CHAT_LISTEN"), ("--version", env!("CARGO_PKG_VERSION"))] {
        let output = run(&[flag], &[]);
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains(part), "{flag}");
    }
}

#[test]
fn the_usual_variable_names_the_credentials_of_a_bucket_when_no_option_does() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let started = |more: &[&str], environment: &[(&str, &str)]| {
        let own = ["--data", data, "--listen", "127.0.0.1:0", "--media", "gs://chat-media"];
        let output =
            run(&[&own, more].concat(), &[environment, &[("GOOGLE_APPLICATION_CREDENTIALS", "/usual.json")]].concat());
        assert_eq!(output.status.code(), Some(1), "there are no such files: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = started(&[], &[]);
    assert!(said.contains("gs://chat-media") && said.contains("/usual.json"), "{said}");
    let said = started(&["--gcs-credentials", "/flag.json"], &[]);
    assert!(said.contains("/flag.json") && !said.contains("/usual.json"), "{said}");
    let said = started(&[], &[("I9CHAT_GCS_CREDENTIALS", "/own.json")]);
    assert!(said.contains("/own.json") && !said.contains("/usual.json"), "{said}");
}

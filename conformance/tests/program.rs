//! The program as it is used: its commands, exit codes and files.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it should be")]

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Command, Output},
    thread,
};

use i9chat_spec::{ErrorCode, Example, Problem, api::capabilities::Capabilities};
use serde_json::Value;

fn suite(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_i9chat-conformance")).args(arguments).output().unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn list_names_cases_with_their_profile_and_requirements() {
    let output = suite(&["list", "--profile", "core", "--filter", "ses-7"]);
    assert_eq!(output.status.code(), Some(0));
    let text = printed(&output);
    assert!(text.contains("core      an_old_refresh_token_ends_its_session   SES-7"), "{text}");
    assert!(text.lines().all(|line| line.contains("SES-7")), "{text}");
}

#[test]
fn explain_quotes_a_sentence_and_names_its_cases() {
    let output = suite(&["explain", "acc-5"]);
    assert_eq!(output.status.code(), Some(0));
    let text = printed(&output);
    assert!(text.starts_with("ACC-5 (4 Accounts)\nA wrong code is answered with `wrong_code`."), "{text}");
    assert!(text.contains("proved by five_wrong_codes_void_a_ticket"), "{text}");
    assert!(printed(&suite(&["explain", "MSG-2"])).contains("no case: it takes a crash"));
}

#[test]
fn what_cannot_be_carried_out_ends_with_2() {
    for arguments in [
        &["explain", "XYZ-1"][..],
        &["run"],
        &["run", "--url", "not a url"],
        &["run", "--url", "http://127.0.0.1:9", "--profile", "nonsense"],
        &["run", "--start", "'open"],
        &["run", "--start", "/nonexistent/server --port {port}"],
    ] {
        let output = suite(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", complained(&output));
        assert!(!complained(&output).is_empty());
    }
}

#[test]
fn a_server_that_is_not_there_shows_no_conformance() {
    let folder = tempfile::tempdir().unwrap();
    let (json, junit) = (folder.path().join("report.json"), folder.path().join("report.xml"));
    // Nothing listens on the discard port.
    let output = suite(&[
        "run",
        "--url",
        "http://127.0.0.1:9",
        "--filter",
        "CAP-4",
        "--json",
        json.to_str().unwrap(),
        "--junit",
        junit.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", complained(&output));
    let text = printed(&output);
    assert_eq!(text.lines().last(), Some("0 passed, 1 failed, 0 skipped"), "{text}");
    assert!(
        text.contains(
            "run again: i9chat-conformance run --url http://127.0.0.1:9 --filter the_server_tells_its_health"
        )
    );
    let report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(report["summary"]["inconclusive"], 1);
    assert_eq!(report["cases"][0]["verdict"], "inconclusive");
    assert!(std::fs::read_to_string(junit).unwrap().contains("the_server_tells_its_health"));
}

/// A server that knows its capabilities and its health, and nothing else.
fn healthy_server() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().for_each(|stream| answer(&stream.unwrap())));
    url
}

fn answer(mut stream: &TcpStream) {
    let head: Vec<String> =
        BufReader::new(stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    let path = head.first().unwrap().split(' ').nth(1).unwrap();
    let (status, kind, body) = match path {
        "/v1/capabilities" => (200, "application/json", serde_json::to_string(&Capabilities::example()).unwrap()),
        "/healthz" | "/readyz" => (200, "text/plain", "fine".to_owned()),
        _ => {
            let problem = Problem::new(ErrorCode::NoSuchEndpoint, "not here", "parrot".parse().unwrap());
            (404, "application/problem+json", serde_json::to_string(&problem).unwrap())
        }
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nX-Request-Id: parrot\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
}

#[test]
fn only_a_run_in_which_all_goes_well_ends_with_0() {
    let url = healthy_server();
    let output = suite(&["run", "--url", &url, "--filter", "CAP-4"]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert_eq!(printed(&output), "  core         1 passed\n1 passed, 0 failed, 0 skipped\n");
    let output = suite(&["run", "--url", &url, "--filter", "USR-1"]);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
}

#[test]
fn a_run_of_no_case_is_a_failure() {
    let output = suite(&["run", "--url", "http://127.0.0.1:9", "--filter", "no such case"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).ends_with("no case ran, which shows nothing\n0 passed, 0 failed, 0 skipped\n"));
}

#[test]
fn what_a_server_says_that_does_not_start_is_shown() {
    let output = suite(&["run", "--start", "sh -c 'echo no port {port} for {data}; exit 3'"]);
    assert_eq!(output.status.code(), Some(2));
    let text = complained(&output);
    assert!(text.contains("exit status: 3") && text.contains("no port ") && !text.contains("{data}"), "{text}");
}

use clap::CommandFactory;

use super::*;
use crate::media::gcs::GcsCredentials;

fn read_words(words: &[&str]) -> Result<(Option<Task>, Config), ConfigError> {
    let program = std::iter::once("i9chat-server");
    read(program.chain(words.iter().copied()).map(OsString::from))
}

fn config(words: &[&str]) -> Config {
    read_words(words).unwrap().1
}

fn refusal(words: &[&str]) -> String {
    read_words(words).unwrap_err().to_string()
}

/// A folder with a configuration file in it.
fn file(content: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("i9chat.toml");
    std::fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn without_options_the_server_is_for_trying_it_out() {
    let config = config(&[]);
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.data, PathBuf::from("data"));
    assert_eq!(config.mail.smtp_url, None);
    assert_eq!(config.mail.from.to_string(), "\"i9chat\" <noreply@localhost>");
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.lifetimes, Lifetimes::default());
    assert_eq!(config.log, LogConfig { filter: "info".to_owned(), format: LogFormat::Text });
}

#[test]
fn every_option_is_taken_from_the_command_line() {
    let words = [
        "--listen=0.0.0.0:9000",
        "--data=/srv/chat",
        "--public-url=https://chat.example",
        "--allowed-origins=https://app.example/, http://localhost:3000",
        "--trusted-proxies=10.0.0.2,::1",
        "--smtp-url=smtps://user:secret@mail.example",
        "--max-connections=7",
        "--max-connections-per-user=8",
        "--max-sessions-per-user=9",
        "--frames-per-second=10",
        "--frames-burst=11",
        "--requests-per-second=12",
        "--requests-burst=13",
        "--max-resume-events=14",
        "--token-ttl-s=15",
        "--ticket-ttl-s=16",
        "--session-idle-ttl-s=17",
        "--heartbeat-ms=180",
        "--max-unused-uploads=21",
        "--upload-url-ttl-s=22",
        "--unused-upload-ttl-s=23",
        "--download-url-ttl-s=24",
        "--sign-in-failures-per-account=19",
        "--sign-in-failures-per-address=20",
        "--log=warn,i9chat_server=debug",
        "--log-format=json",
        "--store=neo4j+s://neo4j:secret@graph.example",
        "--bus=redis://bus.example:6380/2",
        "--bus-prefix=chat-1",
        "--media=gs://chat-media/",
        "--gcs-credentials=/srv/key.json",
    ];
    let Config { listen, data, http, mail, limits, lifetimes, log, stack, media } = config(&words);
    assert_eq!(listen, "0.0.0.0:9000".parse().unwrap());
    assert_eq!(data, PathBuf::from("/srv/chat"));
    assert_eq!(http.public_url.unwrap().as_str(), "https://chat.example/");
    assert_eq!(http.allowed_origins, ["https://app.example", "http://localhost:3000"]);
    assert_eq!(http.trusted_proxies, ["10.0.0.2", "::1"].map(|proxy| proxy.parse::<std::net::IpAddr>().unwrap()));
    assert_eq!(http.max_connections, 7);
    assert_eq!(mail.smtp_url.as_deref(), Some("smtps://user:secret@mail.example"));
    assert_eq!(mail.from.to_string(), "\"i9chat\" <noreply@chat.example>");
    assert_eq!(
        limits,
        Limits {
            max_connections_per_user: 8,
            max_sessions_per_user: 9,
            frames_per_second: 10,
            frames_burst: 11,
            requests_per_second: 12,
            requests_burst: 13,
            max_resume_events: 14,
            sign_in_failures_per_account: 19,
            sign_in_failures_per_address: 20,
            max_unused_uploads: 21,
            ..Limits::default()
        }
    );
    assert_eq!(
        lifetimes,
        Lifetimes {
            token_ttl_s: 15,
            ticket_ttl_s: 16,
            session_idle_ttl_s: 17,
            heartbeat_ms: 180,
            upload_url_ttl_s: 22,
            unused_upload_ttl_s: 23,
            download_url_ttl_s: 24,
            ..Lifetimes::default()
        }
    );
    assert_eq!(log, LogConfig { filter: "warn,i9chat_server=debug".to_owned(), format: LogFormat::Json });
    let StackConfig::ScaleOut(stack) = stack else { panic!("{stack:?}") };
    assert_eq!(stack.store.as_str(), "neo4j+s://neo4j:secret@graph.example");
    assert_eq!((stack.bus.as_str(), stack.bus_prefix.as_str()), ("redis://bus.example:6380/2", "chat-1"));
    let credentials = GcsCredentials::KeyFile(PathBuf::from("/srv/key.json"));
    assert_eq!(media, MediaConfig::Gcs(GcsOptions::new("gs://chat-media".parse().unwrap(), credentials)));
}

#[test]
fn a_database_and_a_bus_go_together_or_not_at_all() {
    assert_eq!(config(&[]).stack, StackConfig::Embedded);
    let (store, bus) = ("--store=neo4j://graph.example", "--bus=redis://bus.example");
    for (words, option, other) in
        [(store, "--store", "--bus"), (bus, "--bus", "--store"), ("--bus-prefix=x", "--bus-prefix", "--bus")]
    {
        let refusal = refusal(&[words]);
        assert!(refusal.contains(option) && refusal.contains(other), "{refusal}");
    }
}

#[test]
fn the_file_has_the_same_names_and_counts_less_than_a_flag() {
    let (_folder, path) = file(
        "listen = \"0.0.0.0:9000\"\nheartbeat-ms = 500\nallowed-origins = [\"https://a.example\", \"https://b.example\"]\n",
    );
    let config = config(&["--config", &path, "--heartbeat-ms", "700"]);
    assert_eq!(config.listen, "0.0.0.0:9000".parse().unwrap());
    assert_eq!(config.lifetimes.heartbeat_ms, 700);
    assert_eq!(config.http.allowed_origins, ["https://a.example", "https://b.example"]);
}

#[test]
fn a_file_with_a_key_that_no_option_has_is_refused_by_name_and_line() {
    let (_folder, path) = file("listen = \"0.0.0.0:9000\"\nlisten-on = \"0.0.0.0:9000\"\n");
    let refusal = refusal(&["--config", &path]);
    assert!(refusal.contains("listen-on") && refusal.contains("line 2") && refusal.contains(&path), "{refusal}");
}

#[test]
fn a_file_that_is_not_there_or_no_toml_is_refused_by_name() {
    let missing = refusal(&["--config", "/nonexistent/i9chat.toml"]);
    assert!(missing.contains("/nonexistent/i9chat.toml"), "{missing}");
    let (_folder, path) = file("listen: 0.0.0.0:9000");
    assert!(refusal(&["--config", &path]).contains(&path));
}

#[test]
fn a_wrong_value_is_answered_with_the_option_and_what_to_write_instead() {
    for (words, option, instead) in [
        ("--listen=localhost", "--listen", "127.0.0.1:8080"),
        ("--listen=8080", "--listen", "127.0.0.1:8080"),
        ("--public-url=chat.example", "--public-url", "https://chat.example"),
        ("--public-url=https://chat.example/path", "--public-url", "https://chat.example"),
        ("--allowed-origins=https://ok.example,*", "--allowed-origins", "https://app.example"),
        ("--trusted-proxies=10.0.0.0/8", "--trusted-proxies", "10.0.0.2"),
        ("--mail-from=nobody", "--mail-from", "noreply@chat.example"),
        ("--heartbeat-ms=99", "--heartbeat-ms", "from 100 to 600000"),
        ("--heartbeat-ms=600001", "--heartbeat-ms", "from 100 to 600000"),
        ("--token-ttl-s=0", "--token-ttl-s", "such as 3600"),
        ("--max-connections=many", "--max-connections", "whole number"),
        ("--log=info,=[", "--log", "debug"),
        ("--log-format=xml", "--log-format", "text or json"),
        ("--smtp-url=mail.example", "--smtp-url", "smtp://"),
        ("--smtp-url=http://mail.example", "--smtp-url", "smtp://"),
        ("--media=s3://bucket", "--media", "gs://my-media"),
        ("--media=gs://../x", "--media", "gs://my-media"),
        ("--gcs-credentials=key.json", "--gcs-credentials", "--media"),
    ] {
        let refusal = refusal(&[words]);
        assert!(refusal.contains(option) && refusal.contains(instead), "{words}: {refusal}");
    }
}

#[test]
fn a_password_is_shown_neither_in_a_refusal_nor_by_debug() {
    let refused = refusal(&["--smtp-url=smtp://user:secret@mail.example?tls=none"]);
    assert!(refused.contains("needs TLS") && !refused.contains("secret"), "{refused}");
    for (store, bus) in
        [("mysql://neo4j:secret@graph.example", "redis://x"), ("neo4j://x", "http://u:secret@bus.example")]
    {
        let refused = refusal(&["--store", store, "--bus", bus]);
        assert!(refused.contains("cannot be what was given") && !refused.contains("secret"), "{refused}");
    }
    let config = config(&[
        "--smtp-url=smtps://user:secret@mail.example",
        "--store=neo4j://neo4j:secret@graph.example",
        "--bus=redis://user:secret@bus.example",
    ]);
    assert!(!format!("{config:?}").contains("secret"));
}

#[test]
fn an_unknown_flag_is_refused() {
    assert!(refusal(&["--listen-on=127.0.0.1:1"]).contains("--listen-on"));
}

#[test]
fn the_task_is_found_before_and_after_its_options() {
    for words in [["--data=/srv", "new-epoch"], ["new-epoch", "--data=/srv"]] {
        let (task, config) = read_words(&words).unwrap();
        assert_eq!(task, Some(Task::NewEpoch));
        assert_eq!(config.data, PathBuf::from("/srv"));
    }
}

/// Where the reference says what it says of an option.
fn row<'a>(reference: &'a str, name: &str) -> &'a str {
    let begins = format!("| `--{name} ");
    let mut rows = reference.lines().filter(|line| line.starts_with(&begins));
    let row = rows.next().unwrap_or_else(|| panic!("--{name} is not in the reference"));
    assert_eq!(rows.next(), None, "--{name} is in the reference twice");
    row
}

#[test]
fn the_reference_has_every_option_once() {
    let reference = reference();
    let mut command = CommandLine::command();
    command.build();
    let names: Vec<_> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
    let options = names.iter().filter(|name| !["help", "version", "config"].contains(*name));
    for name in options.clone() {
        let row = row(&reference, name);
        let variable = format!("I9CHAT_{}", name.replace('-', "_").to_uppercase());
        assert!(row.contains(&format!("| `{variable}` | `{name}` |")), "{row}");
    }
    assert_eq!(reference.lines().filter(|line| line.starts_with("| `--")).count(), options.count());
    assert!(reference.contains("--config FILE"));
}

#[test]
fn the_reference_in_the_documents_is_fresh() {
    let stands = include_str!("../../../docs/configuration.md");
    assert!(stands == reference(), "run `cargo run -p i9chat-server -- reference > docs/configuration.md`");
}

/// The options that a number is given to, each with its default and its range.
fn counted() -> Vec<(String, u64, std::ops::RangeInclusive<u64>)> {
    let counted = options::GROUPS.iter().flat_map(|group| group.options).filter_map(|option| {
        let bounds = option.bounds.clone()?;
        let default = option.help().1.unwrap();
        Some((option.name(), default.split(',').next().unwrap().parse().unwrap(), bounds))
    });
    counted.collect()
}

#[test]
fn the_defaults_that_are_named_are_those_that_count() {
    let given: Vec<_> = counted().iter().map(|(name, default, _)| format!("--{name}={default}")).collect();
    assert!(given.len() > 20, "{given:?}");
    let mut given: Vec<_> = given.iter().map(String::as_str).collect();
    given.extend(["--listen=127.0.0.1:8080", "--data=data", "--log=info", "--log-format=text"]);
    let texts = options::GROUPS.iter().flat_map(|group| group.options).filter(|option| option.bounds.is_none());
    for option in texts {
        let Some(default) = option.help().1 else { continue };
        let word = format!("--{}={default}", option.name());
        let in_words = ["mail-from", "gcs-credentials"].contains(&option.name().as_str());
        // The prefix goes with a bus alone.
        assert!(in_words || given.contains(&word.as_str()) || word == "--bus-prefix=i9chat", "{word}");
    }
    assert_eq!(format!("{:?}", config(&given)), format!("{:?}", config(&[])));
    let together = ["--store=neo4j://graph.example", "--bus=redis://bus.example"];
    assert_eq!(config(&together).stack, config(&[&together[..], &["--bus-prefix=i9chat"]].concat()).stack);
}

#[test]
fn the_ranges_that_are_named_are_those_that_count() {
    for (name, _, range) in counted() {
        let (lowest, highest) = (*range.start(), *range.end());
        assert!(row(&reference(), &name).contains(&format!("| {lowest} to {highest} |")));
        let word = |value: u64| format!("--{name}={value}");
        config(&[&word(lowest)]);
        config(&[&word(highest)]);
        let beyond = lowest.checked_sub(1).into_iter().chain([highest + 1]);
        for refused in beyond.map(|value| refusal(&[&word(value)])) {
            assert!(refused.contains(&format!("--{name} ")) && refused.contains("from"), "{refused}");
        }
    }
}

#[test]
fn help_explains_every_option_with_its_variable_and_its_default() {
    let mut command = CommandLine::command();
    command.clone().debug_assert();
    command.build();
    for option in command.get_arguments().filter(|option| !matches!(option.get_id().as_str(), "help" | "version")) {
        let name = option.get_long().unwrap();
        let variable = format!("I9CHAT_{}", name.replace('-', "_").to_uppercase());
        assert_eq!(option.get_env().unwrap(), variable.as_str());
        assert!(option.get_help().is_some_and(|help| help.to_string().len() > 20), "--{name} is not explained");
    }
    let help = command.render_long_help().to_string();
    let limits = Limits::default();
    for default in [
        "[default: 127.0.0.1:8080]".to_owned(),
        format!("[default: {}]", limits.max_connections_per_user),
        format!("[default: {}]", limits.frames_per_second),
        format!("[default: {}]", limits.sign_in_failures_per_address),
        format!("[default: {}]", Lifetimes::default().heartbeat_ms),
    ] {
        assert!(help.contains(&default), "{default}");
    }
}

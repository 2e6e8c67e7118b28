//! Every action, event and close code stands in the AsyncAPI document.

use std::collections::BTreeSet;

use i9chat_spec::{
    Action, CloseCode, Event,
    action::{ActionVisitor, visit_actions},
    event::{Address, EventData, EventVisitor, visit_events},
};
use serde_json::{Value, json};

use crate::{ASYNC_API, OPEN_API, reads_well};

fn messages_of(operation: &Value) -> BTreeSet<String> {
    let references = operation["messages"].as_array().into_iter().flatten();
    references.map(|message| message["$ref"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned()).collect()
}

#[test]
fn an_action_has_its_frame_its_reply_and_its_errors() {
    struct Check;

    impl ActionVisitor for Check {
        fn visit<A: Action>(&mut self) {
            let operation = &ASYNC_API["operations"][A::NAME];
            assert_eq!(operation["action"], "receive");
            assert!(reads_well(&operation["summary"]) && reads_well(&operation["description"]), "{}", A::NAME);
            assert_eq!(messages_of(operation), [A::NAME.to_owned()].into());
            let answers = [format!("{}_reply", A::NAME), format!("{}_error", A::NAME)];
            assert_eq!(messages_of(&operation["reply"]), answers.clone().into());

            let codes: BTreeSet<_> = A::error_codes().iter().map(ToString::to_string).collect();
            let examples = ASYNC_API["components"]["messages"][&answers[1]]["examples"].as_array().unwrap();
            let shown = examples.iter().map(|example| example["payload"]["error"]["code"].as_str().unwrap().to_owned());
            assert_eq!(shown.collect::<BTreeSet<_>>(), codes, "{}", A::NAME);
            assert_eq!(operation["x-error-codes"], json!(A::error_codes()), "{}", A::NAME);
            for message in answers.iter().map(String::as_str).chain([A::NAME]) {
                let message = &ASYNC_API["components"]["messages"][message];
                assert_eq!(message["correlationId"]["location"], "$message.payload#/id");
            }
        }
    }

    visit_actions(&mut Check);
}

#[test]
fn what_the_server_sends_by_itself_is_all_there() {
    let events = Event::NAMES.iter().copied();
    for name in events.chain(["hello", "heartbeat", "unknown_action"]) {
        let operation = &ASYNC_API["operations"][name];
        assert_eq!(operation["action"], "send", "{name}");
        assert_eq!(messages_of(operation), [name.to_owned()].into());
        let message = &ASYNC_API["components"]["messages"][name];
        assert!(reads_well(&message["summary"]), "{name}");
        assert!(message["payload"]["required"].as_array().unwrap().contains(&json!("type")), "{name}");
    }
}

#[test]
fn an_event_has_a_place_in_the_log_unless_it_is_live() {
    struct Check(usize);

    impl EventVisitor for Check {
        fn visit<E: EventData>(&mut self) {
            let message = &ASYNC_API["components"]["messages"][E::NAME];
            let (payload, example) = (&message["payload"], &message["examples"][0]["payload"]);
            let required = payload["required"].as_array().unwrap();
            for (field, there) in [("cursor", E::ADDRESS != Address::Live), ("chat_id", E::ADDRESS == Address::Chat)] {
                assert_eq!(required.contains(&json!(field)), there, "{} {field}", E::NAME);
                assert_eq!(payload["properties"].get(field).is_some(), there, "{} {field}", E::NAME);
                assert_eq!(example.get(field).is_some(), there, "{} {field}", E::NAME);
            }
            // What is asked over HTTP is the log, which has nothing that is live. (PRS-9)
            let in_log = OPEN_API["components"]["schemas"]["EventFrame"]["discriminator"]["mapping"].get(E::NAME);
            assert_eq!(in_log.is_some(), E::ADDRESS != Address::Live, "{}", E::NAME);
            self.0 += usize::from(E::ADDRESS == Address::Live);
        }
    }

    let mut check = Check(0);
    visit_events(&mut check);
    assert_eq!(check.0, 2);
}

#[test]
fn every_operation_is_about_the_connection() {
    let channel = &ASYNC_API["channels"]["connection"];
    assert_eq!(channel["address"], "/v1/ws");
    let in_channel: BTreeSet<_> = channel["messages"].as_object().unwrap().keys().cloned().collect();
    let mut used = BTreeSet::new();
    for operation in ASYNC_API["operations"].as_object().unwrap().values() {
        assert_eq!(operation["channel"]["$ref"], "#/channels/connection");
        used.extend(messages_of(operation));
        used.extend(messages_of(&operation["reply"]));
    }
    assert_eq!(used, in_channel);
    assert!(channel["bindings"]["ws"]["query"]["properties"]["cursor"].is_object());
}

#[test]
fn every_close_code_is_listed() {
    let listed = ASYNC_API["channels"]["connection"]["x-close-codes"].as_array().unwrap();
    assert_eq!(listed.len(), CloseCode::ALL.len());
    for (code, listed) in CloseCode::ALL.iter().zip(listed) {
        assert_eq!((&listed["code"], &listed["name"]), (&json!(code.number()), &json!(code.name())));
    }
}

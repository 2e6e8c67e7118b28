//! Paths and queries: what stands in them names what the protocol says, and nothing else.

use i9chat_spec::ErrorCode;

use super::{Bystanders, about, bodies::refuses_inside, catalogue::operations};
use crate::{
    cases,
    client::Answer,
    expect::check,
    verdict::Verdict,
    world::{World, patiently},
};

cases! { Robustness:
    a_parameter_of_a_path_leads_nowhere_else ["CNV-7", "USR-2", "ERR-4", "ERR-8"],
    a_path_that_is_written_oddly_is_refused ["CNV-16", "ERR-2"],
    a_parameter_of_a_query_that_is_wrong_is_refused ["CNV-12", "ERR-4"],
    a_query_that_is_written_oddly_does_no_harm ["CNV-6", "CNV-12"],
}

async fn a_parameter_of_a_path_leads_nowhere_else(world: &World) -> Verdict {
    let long = "a".repeat(3000);
    let hostile = [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e%2fhealthz",
        "a%2fb",
        "%00",
        "abc%00",
        "%ff",
        "%c0%ae%c0%ae",
        "%25",
        "%20",
        "%0d%0aX-Evil:%201",
        "%27%20or%201%3d1--",
        "%7bchat_id%7d",
        "%3cscript%3e",
        "-1",
        "*",
        long.as_str(),
    ];
    let mut bystanders = Bystanders::of(world).await?;
    for operation in operations(world) {
        let user = world.user().await?;
        for parameter in operation.parameters() {
            for value in hostile {
                let request = operation.request(&user, operation.path_with(Some((parameter, value))));
                let request = match &operation.body {
                    Some(body) => request.json(body),
                    None => request,
                };
                let told = format!("{} with {parameter} {}", operation.name, value.get(..40).unwrap_or(value));
                let problem =
                    patiently(request).await?.refused_with(ErrorCode::InvalidRequest).map_err(about(&told))?;
                // A path that is no text at all is wrong as a whole. (ERR-4)
                let as_a_whole = || refuses_inside(&problem, "", None);
                refuses_inside(&problem, parameter, None)
                    .or_else(|stop| if is_text(value) { Err(stop) } else { as_a_whole() })
                    .map_err(about(&told))?;
            }
        }
    }
    bystanders.go_on().await
}

/// Whether what the escapes stand for is UTF-8.
fn is_text(escaped: &str) -> bool {
    !["%ff", "%c0"].iter().any(|byte| escaped.contains(byte))
}

/// A refusal of any kind.
fn is_refused(answer: &Answer, told: &str) -> Verdict {
    check((400..500).contains(&answer.status), || (format!("a status from 400 to 499 ({told})"), answer.to_string()))
}

async fn a_path_that_is_written_oddly_is_refused(world: &World) -> Verdict {
    let mut bystanders = Bystanders::of(world).await?;
    let user = world.user().await?;
    // How far a server makes a path simpler before it looks at it is left to it; none of these names an endpoint as it stands.
    for path in [
        "/v1/../healthz/../v1/nothing",
        "/v1/../../../../etc/passwd",
        "/v1/%2e%2e/%2e%2e/etc/passwd",
        "/v1//nothing//me",
        "/v1/users/",
        "/v1/users/../nothing",
        "/v1/users/%",
        "/v1/users/%zz",
        "/v1/users/%e2%82",
        "/v1/me/",
        "/v1/ME",
        "/v1%2fme",
        "/%76%31%2f%6d%65%2f",
        "/v1/me;jsessionid=1",
        "/v1/me%00",
        "/v1/me%20",
        "/v1/chats/chats/chats/chats/chats/chats/chats",
        "/v2/me",
        "//v1/nothing",
        "/v1/uploads/../../media/x",
        "/.git/config",
        "/media/../../../../etc/passwd",
        "/media/..%2f..%2f..%2fetc%2fpasswd",
    ] {
        let answer = patiently(user.get(path).unjudged()).await?;
        is_refused(&answer, path)?;
    }
    let long = format!("/v1/{}", "x".repeat(6000));
    is_refused(&patiently(user.get(long).unjudged()).await?, "a path of 6,000 characters")?;
    let deep = "/v1".repeat(2000);
    is_refused(&patiently(user.get(deep).unjudged()).await?, "a path of 2,000 parts")?;
    bystanders.go_on().await
}

async fn a_parameter_of_a_query_that_is_wrong_is_refused(world: &World) -> Verdict {
    let mut bystanders = Bystanders::of(world).await?;
    let most = world.limits().max_page_items;
    let beyond = (most + 1).to_string();
    for operation in operations(world) {
        let user = world.user().await?;
        let Some(query) = operation.query.as_object() else { continue };
        let base = operation.path_with(None);
        // What else must be there is there.
        let rest = |but: &str| -> String {
            let near = query.get("near").filter(|_| but != "near").and_then(|near| near.as_str());
            near.map(|near| format!("&near={near}")).unwrap_or_default()
        };
        for (name, example) in query {
            let wrong: &[&str] = if name == "limit" {
                &["0", "-1", "10000", "1.5", "ten", "", "1e2", "+5", "%00", "18446744073709551616", beyond.as_str()]
            } else if example.is_u64() {
                &["-1", "1.5", "ten", "", "1e2", "%00", "18446744073709551616"]
            } else {
                &["%00", "%20", "%0d%0a", "..%2f..", "%ff", "\u{27}or%201=1"]
            };
            for value in wrong {
                let path = format!("{base}?{name}={value}{}", rest(name));
                let told = format!("{} with {name}={value}", operation.name);
                let answer = patiently(operation.request(&user, path)).await?;
                // What a cursor or a name to go on after may look like is not said of every list. (CHT-5)
                if answer.status == 200 && name != "limit" && !example.is_u64() {
                    continue;
                }
                let problem = answer.refused_with(ErrorCode::InvalidRequest).map_err(about(&told))?;
                refuses_inside(&problem, name, None).map_err(about(&told))?;
            }
        }
    }
    bystanders.go_on().await
}

async fn a_query_that_is_written_oddly_does_no_harm(world: &World) -> Verdict {
    let mut bystanders = Bystanders::of(world).await?;
    for operation in operations(world).into_iter().filter(|operation| operation.method == "GET") {
        let user = world.user().await?;
        let base = operation.path_with(None);
        let many = "&a=1".repeat(300);
        for query in [
            "?",
            "?&&&",
            "?=",
            "?=x&=y",
            "?limit=1&limit=2",
            "?limit=1&limit=1&limit=1",
            "?limit[]=1",
            "?limit%00=1",
            "?%ff=%ff",
            "?limit",
            "?a=b?c=d",
            "?%zz",
            "?\u{27};drop%20table%20users",
            many.as_str(),
        ] {
            let query = query.replacen('&', if query.starts_with('&') { "?" } else { "&" }, 1);
            let answer = patiently(operation.request(&user, format!("{base}{query}"))).await?;
            let told = || (format!("an answer that is no fault of the server to {base}{query}"), answer.to_string());
            check(answer.status < 500, told)?;
        }
    }
    bystanders.go_on().await
}

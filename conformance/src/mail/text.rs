//! Reading a mail, as far as finding a code needs it: headers, the plain text part, and its transfer encoding.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The plain text of a mail: of its first `text/plain` part, decoded; of the whole body where there are no parts.
pub fn text_part(mail: &[u8]) -> String {
    let (headers, body) = split(mail);
    find_text(&headers, body).unwrap_or_default()
}

/// The runs of exactly six digits in a text. (ACC-2)
pub fn codes_in(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_ascii_digit()).filter(|run| run.len() == 6).map(str::to_owned).collect()
}

type Headers = Vec<(String, String)>;

fn split(mail: &[u8]) -> (Headers, &[u8]) {
    let mut headers = Headers::new();
    let mut rest = mail;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            // A folded line belongs to the header before it.
            if let Some((_, value)) = headers.last_mut() {
                value.push(' ');
                value.push_str(line.trim_start());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
    }
    (headers, rest)
}

fn header<'h>(headers: &'h Headers, name: &str) -> Option<&'h str> {
    headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
}

fn find_text(headers: &Headers, body: &[u8]) -> Option<String> {
    let kind = header(headers, "content-type").unwrap_or("text/plain");
    let lower = kind.to_lowercase();
    if lower.starts_with("multipart/") {
        let boundary = parameter(kind, "boundary")?;
        return parts(body, &boundary).into_iter().find_map(|part| {
            let (headers, body) = split(part);
            find_text(&headers, body)
        });
    }
    lower.starts_with("text/plain").then(|| {
        let encoding = header(headers, "content-transfer-encoding").unwrap_or("7bit");
        String::from_utf8_lossy(&decoded(body, encoding)).into_owned()
    })
}

fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (have, value) = parameter.split_once('=')?;
        have.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn parts<'m>(body: &'m [u8], boundary: &str) -> Vec<&'m [u8]> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let end = at + line.len();
        if line.starts_with(delimiter.as_bytes()) {
            if let Some(part) = start.and_then(|start| body.get(start..at)) {
                parts.push(part);
            }
            let last = line.get(delimiter.len()..).is_some_and(|rest| rest.starts_with(b"--"));
            start = (!last).then_some(end);
        }
        at = end;
    }
    parts
}

fn decoded(body: &[u8], encoding: &str) -> Vec<u8> {
    match encoding.trim().to_lowercase().as_str() {
        "base64" => {
            let compact: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            STANDARD.decode(compact).unwrap_or_default()
        }
        "quoted-printable" => unquoted(body),
        _ => body.to_vec(),
    }
}

fn unquoted(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut bytes = body.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        match (bytes.next(), bytes.next()) {
            // A soft line break.
            (Some(b'\r'), Some(b'\n')) => {}
            (Some(b'\n'), Some(next)) => out.push(next),
            (Some(high), Some(low)) => {
                let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                match (digit(high), digit(low)) {
                    (Some(high), Some(low)) => out.push(high * 16 + low),
                    _ => out.extend([b'=', high, low]),
                }
            }
            (last, _) => out.extend(last),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_mail_is_its_body() {
        let mail = b"Subject: Your code\r\nX-Long: a\r\n b\r\n\r\nYour code is 274615.\r\n";
        assert_eq!(text_part(mail), "Your code is 274615.\r\n");
    }

    #[test]
    fn the_text_part_is_found_among_others() {
        let mail = b"Content-Type: multipart/alternative;\r\n boundary=\"b 1\"\r\n\r\npreamble 111111\r\n--b 1\r\nContent-Type: text/html\r\n\r\n<p>222222\r\n--b 1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nMjc0NjE1\r\n--b 1--\r\nafter 333333";
        assert_eq!(text_part(mail), "274615");
    }

    #[test]
    fn quoted_printable_is_decoded() {
        let mail = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n27=\r\n4615 gr=C3=BC=C3=9Fe =zz=";
        assert_eq!(text_part(mail), "274615 grüße =zz");
    }

    #[test]
    fn only_runs_of_exactly_six_digits_are_codes() {
        assert_eq!(codes_in("1234567 274615, 12345; a000000b"), ["274615", "000000"]);
    }
}

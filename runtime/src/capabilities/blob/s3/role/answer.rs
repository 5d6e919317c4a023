//! What those who lend answer. Nothing of an answer is repeated: it may have a secret in it.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde_json::Value;
use thumbs_s3::Credentials;

use super::Lent;

/// The most elements and texts of an answer of STS that are looked at; real ones have some thirty.
const MAX_NODES: u32 = 1000;

/// The answer of STS to `AssumeRoleWithWebIdentity`. None where it makes no sense.
pub(super) fn of_sts(document: &[u8]) -> Option<Lent> {
    let options = roxmltree::ParsingOptions { nodes_limit: MAX_NODES, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(str::from_utf8(document).ok()?, options).ok()?;
    let named = |name: &'static str| move |node: &roxmltree::Node<'_, '_>| node.tag_name().name() == name;
    let credentials = document.descendants().find(named("Credentials"))?;
    let text = |name| credentials.children().find(named(name)).and_then(|node| node.text());
    lent(text("AccessKeyId")?, text("SecretAccessKey")?, text("SessionToken")?, text("Expiration")?)
}

/// The code of a refusal of STS.
pub(super) fn refusal_of_sts(document: &[u8]) -> Option<String> {
    let options = roxmltree::ParsingOptions { nodes_limit: MAX_NODES, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(str::from_utf8(document).ok()?, options).ok()?;
    let code = document.descendants().find(|node| node.tag_name().name() == "Code")?.text()?;
    let is_name = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name.then(|| code.to_owned())
}

/// The answer of a container's agent, or of a machine's own metadata. None where it makes no sense.
pub(super) fn of_agent(document: &[u8]) -> Option<Lent> {
    let document: Value = serde_json::from_slice(document).ok()?;
    let text = |name: &str| document.get(name)?.as_str();
    lent(text("AccessKeyId")?, text("SecretAccessKey")?, text("Token")?, text("Expiration")?)
}

fn lent(id: &str, secret: &str, token: &str, until: &str) -> Option<Lent> {
    let fits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if ![id, secret, token].into_iter().all(fits) {
        return None;
    }
    let until: SystemTime = DateTime::parse_from_rfc3339(until).ok()?.with_timezone(&Utc).into();
    let credentials = Credentials {
        access_key_id: id.to_owned(),
        secret_access_key: secret.to_owned(),
        session_token: Some(token.to_owned()),
    };
    Some(Lent { credentials, until })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// As the API reference of STS has it, shortened.
    const STS: &str = r#"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleWithWebIdentityResult>
        <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/thumbs/thumbs</Arn></AssumedRoleUser>
        <Credentials>
          <SessionToken>token</SessionToken>
          <SecretAccessKey>secret</SecretAccessKey>
          <Expiration>2026-10-24T23:00:23Z</Expiration>
          <AccessKeyId>ASIA</AccessKeyId>
        </Credentials>
      </AssumeRoleWithWebIdentityResult>
    </AssumeRoleWithWebIdentityResponse>"#;
    const AGENT: &str = r#"{"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"secret","Token":"token",
      "Expiration":"2026-10-24T23:00:23Z"}"#;

    #[test]
    fn both_kinds_of_answer_say_the_same() {
        let lent = of_sts(STS.as_bytes()).unwrap();
        assert_eq!(of_agent(AGENT.as_bytes()).unwrap(), lent);
        assert_eq!(lent.until, SystemTime::UNIX_EPOCH + Duration::from_secs(1_792_882_823));
        let Credentials { access_key_id, secret_access_key, session_token } = lent.credentials;
        assert_eq!(
            (access_key_id.as_str(), secret_access_key.as_str(), session_token.as_deref()),
            ("ASIA", "secret", Some("token"))
        );
    }

    #[test]
    fn what_makes_no_sense_is_nothing() {
        for part in ["ASIA", "secret", "token", "2026-10-24T23:00:23Z", "</Credentials>"] {
            assert_eq!(of_sts(STS.replace(part, " ").as_bytes()), None, "{part}");
            if AGENT.contains(part) {
                assert_eq!(of_agent(AGENT.replace(part, " ").as_bytes()), None, "{part}");
            }
        }
        for text in ["", "null", "<html/>", "\u{feff}"] {
            assert_eq!((of_sts(text.as_bytes()), of_agent(text.as_bytes())), (None, None), "{text}");
        }
    }

    #[test]
    fn a_refusal_is_named_where_it_is_a_name() {
        let refusal =
            |code: &str| format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
        assert_eq!(refusal_of_sts(refusal("ExpiredToken").as_bytes()).as_deref(), Some("ExpiredToken"));
        assert_eq!(refusal_of_sts(refusal("secret token").as_bytes()), None);
    }
}

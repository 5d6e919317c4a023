//! All settings at once, as they are looked at before the service starts: each by itself, each beside those that it goes with, and
//! beside the limits of the host where it tells them.

use thumbs_domain::variable::Variable;

use super::{ConfigError, Variables, invalid, keys};
use crate::intake::FORM_OVERHEAD_BYTES;

/// How long a message may take on the host, in milliseconds.
const MESSAGE_TIMEOUT_MS: &str = "THUMBS_MESSAGE_TIMEOUT_MS";
/// How large a request's body may be.
const MAX_REQUEST_BODY_BYTES: &str = "THUMBS_MAX_REQUEST_BODY_BYTES";
/// How large a blob may be.
const MAX_BLOB_BYTES: &str = "THUMBS_MAX_BLOB_BYTES";

/// Everything that is wrong with the variables of a component that is given all. `host` gives a limit of the host by the name
/// under which an operator sets it; where it gives none (Spin), nothing is held against it.
pub fn check(variables: &dyn Variables, host: impl Fn(&str) -> Option<String>) -> Vec<ConfigError> {
    let read = Variable::ALL.iter().copied().filter(|variable| !variable.row().is_grant());
    let mut wrong: Vec<_> = read.filter_map(|variable| by_itself(variables, variable).err()).collect();
    let number = |variable: Variable| variable.row().takes.number(&variables.get(variable).ok()?);
    let limit = |name| host(name)?.parse::<u64>().ok();

    if let (Some(lease_secs), Some(timeout_ms)) = (number(Variable::LeaseSecs), limit(MESSAGE_TIMEOUT_MS))
        && lease_secs.saturating_mul(1000) <= timeout_ms
    {
        wrong.push(contradicts(
            Variable::LeaseSecs,
            format!(
                "is {lease_secs} s, and the host lets an attempt go on for {timeout_ms} ms, so that two workers would be at \
                 one job: raise it, or lower {MESSAGE_TIMEOUT_MS}"
            ),
        ));
    }
    if let Some(upload_bytes) = number(Variable::MaxUploadBytes) {
        let needs = [
            (MAX_REQUEST_BODY_BYTES, upload_bytes.saturating_add(FORM_OVERHEAD_BYTES), "a form around it"),
            (MAX_BLOB_BYTES, upload_bytes, "an image"),
        ];
        for (name, needed, what) in needs {
            if let Some(bound) = limit(name).filter(|bound| *bound < needed) {
                wrong.push(contradicts(
                    Variable::MaxUploadBytes,
                    format!(
                        "is {upload_bytes}, and the host takes {bound} bytes, less than {what} may have: lower it, or raise \
                         {name} to {needed}"
                    ),
                ));
            }
        }
    }
    if let (Some(batch_bytes), Some(bound)) = (number(Variable::MaxBatchBytes), limit(MAX_REQUEST_BODY_BYTES))
        && bound < batch_bytes
    {
        wrong.push(contradicts(
            Variable::MaxBatchBytes,
            format!(
                "is {batch_bytes}, and the host takes {bound} bytes of one request: lower it, or raise {MAX_REQUEST_BODY_BYTES} to \
                 {batch_bytes}"
            ),
        ));
    }
    let is_set = |variable: Variable| variables.get(variable).is_ok_and(|value| !value.is_empty());
    if is_set(Variable::CallbackHosts) && !is_set(Variable::CallbackSecret) {
        let reason = "names hosts, and callback_secret is empty, so that nothing could be signed: set it to \
             whsec_ and the base64 of 32 random bytes";
        wrong.push(contradicts(Variable::CallbackHosts, reason.to_owned()));
    }
    wrong
}

fn by_itself(variables: &dyn Variables, variable: Variable) -> Result<(), ConfigError> {
    if variable == Variable::ApiKeys {
        return keys(variables).map(drop);
    }
    let value = variables.get(variable)?;
    if variable.row().takes.accepts(&value) { Ok(()) } else { Err(invalid(variable)) }
}

fn contradicts(variable: Variable, reason: String) -> ConfigError {
    ConfigError::Contradicts { name: variable.row().name, reason }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Fixed, defaults};
    use super::*;

    fn texts(variables: &Fixed, host: &[(&str, &str)]) -> Vec<String> {
        let limit =
            |name: &str| host.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        check(variables, limit).iter().map(ToString::to_string).collect()
    }

    const HOST: &[(&str, &str)] = &[
        (MESSAGE_TIMEOUT_MS, "28000"),
        (MAX_REQUEST_BODY_BYTES, "3489660928"),
        (MAX_BLOB_BYTES, "67108864"),
    ];

    #[test]
    fn the_defaults_are_good_beside_those_of_our_host_and_of_none() {
        for host in [HOST, &[]] {
            assert_eq!(texts(&defaults(), host), Vec::<String>::new());
        }
    }

    #[test]
    fn every_variable_that_is_wrong_is_named_at_once() {
        let mut variables = defaults();
        variables.0.extend([("max_attempts", "0"), ("lease_secs", "x"), ("redis_url", "cache:6379")]);
        variables.0.remove("s3_region");
        assert_eq!(
            texts(&variables, HOST),
            [
                "the variable redis_url must be `redis://...` or `rediss://...`",
                "the variable s3_region can't be read: it is not defined",
                "the variable max_attempts must be a whole number from 1 to 100 (attempts)",
                "the variable lease_secs must be a whole number from 1 to 86400 (seconds)",
            ]
        );
    }

    #[test]
    fn callbacks_are_signed() {
        let mut variables = defaults();
        variables.0.insert("callback_hosts", "hooks.example");
        let [text] = &texts(&variables, HOST)[..] else { panic!("{:?}", texts(&variables, HOST)) };
        assert!(text.contains("callback_hosts") && text.contains("callback_secret"), "{text}");
        variables.0.insert("callback_secret", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3");
        assert_eq!(texts(&variables, HOST), Vec::<String>::new());
    }

    #[test]
    fn what_contradicts_a_limit_of_the_host_is_told_with_both_names() {
        for (name, value, limit) in [
            ("lease_secs", "28", MESSAGE_TIMEOUT_MS),
            ("max_upload_bytes", "67108865", MAX_BLOB_BYTES),
            ("max_batch_bytes", "3489660929", MAX_REQUEST_BODY_BYTES),
        ] {
            let mut variables = defaults();
            variables.0.insert(name, value);
            let [text] = &texts(&variables, HOST)[..] else { panic!("{name}") };
            assert!(text.contains(name) && text.contains(limit), "{text}");
            assert_eq!(texts(&variables, &[]), Vec::<String>::new(), "a host that tells no limit has none");
        }
        // A host that takes less: a form around one image does not fit, nor does a batch.
        let small = [(MAX_REQUEST_BODY_BYTES, "34603008"), (MAX_BLOB_BYTES, "67108864")];
        let mut variables = defaults();
        variables.0.extend([("max_batch_bytes", "34603008"), ("max_upload_bytes", "34537472")]);
        assert_eq!(texts(&variables, &small), Vec::<String>::new());
        variables.0.extend([("max_batch_bytes", "34603009"), ("max_upload_bytes", "34537473")]);
        assert_eq!(texts(&variables, &small).len(), 2);
    }
}

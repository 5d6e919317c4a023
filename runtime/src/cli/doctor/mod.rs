//! `thumbs doctor`: whether `thumbs up` with these options would serve, and what to do where not. Nothing is started.

mod machine;

use std::{net::SocketAddr, time::SystemTime};

use clap::Args;
use serde_json::json;

use super::{Application, environment, limits, scratch::Scratch};
use crate::{
    app::{Finding, Verdict},
    telemetry::Level,
    traces,
};

type Error = Box<dyn std::error::Error>;

#[derive(Args, Debug)]
pub(super) struct Doctor {
    #[command(flatten)]
    application: Application,
    /// Where requests would be taken.
    #[arg(long, env = "THUMBS_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Where spans would be sent.
    #[arg(long, env = "THUMBS_OTLP", value_name = "URL")]
    otlp: Option<String>,
    /// Write JSON, one object a line.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Whether nothing is in the way.
    ///
    /// # Errors
    /// A limit that is none.
    pub(super) async fn run(mut self) -> Result<bool, Error> {
        let limits = limits(&environment(), &self.application.limit)?;
        let mut findings = machine::findings(&self.application.state_dir, &limits, SystemTime::now());
        // What is made in the state directory here would be this user's, who may not be the one that serves.
        let scratch = Scratch::new("thumbs-doctor")?;
        let compiled = self.application.state_dir.join("compiled");
        if self.application.cache_dir.is_none() && compiled.is_dir() {
            self.application.cache_dir = Some(compiled);
        }
        scratch.path().clone_into(&mut self.application.state_dir);
        self.application.log_level = Level::Error;
        if let Err(error) = traces::Settings::read(self.otlp.as_deref(), &environment()) {
            findings.push(Finding::wrong("traces", error.to_string(), ""));
        }
        match self.application.builder() {
            Ok((builder, _log)) => findings.extend(builder.listen(self.listen).examine().await),
            Err(error) => findings.push(Finding::wrong("configuration", error.to_string(), "")),
        }
        for finding in &findings {
            println!("{}", if self.json { object(finding) } else { lines(finding) });
        }
        Ok(findings.iter().all(|finding| finding.verdict < Verdict::Wrong))
    }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Well => "ok",
        Verdict::Doubtful => "warning",
        Verdict::Wrong => "wrong",
    }
}

/// For programs.
fn object(finding: &Finding) -> String {
    let Finding { verdict, subject, text, remedy } = finding;
    json!({"verdict": word(*verdict), "subject": subject, "text": text, "remedy": remedy}).to_string()
}

/// For people.
fn lines(finding: &Finding) -> String {
    let Finding { verdict, subject, text, remedy } = finding;
    let remedy = remedy.as_ref().map(|remedy| format!("\n{:26}{remedy}", "")).unwrap_or_default();
    format!("{:8}  {subject:14}  {text}{remedy}", word(*verdict))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_what_to_do() {
        let finding = Finding::doubtful("clock", "It is early.", "Set it.");
        assert_eq!(
            lines(&finding),
            format!("warning   clock           It is early.\n{}Set it.", " ".repeat(26))
        );
        let object: serde_json::Value = serde_json::from_str(&object(&finding)).unwrap();
        assert_eq!(object["verdict"], "warning");
        assert!(lines(&Finding::well("disk", "Fine.")).ends_with("Fine."));
    }
}

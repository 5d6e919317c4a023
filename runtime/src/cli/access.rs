//! `thumbs key` and `thumbs link`: what an operator gives to people who use the service.
//!
//! Both only compute: they reach no service and no database. What they make is read by the application's own components, by the same
//! code (`thumbs_access`); the host itself looks at no key.

use std::{
    convert::Infallible,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Args, Subcommand};
use thumbs_access::{Entry, Key, KeyName, LinkSecrets, Scopes, last_day};

use super::jobs::{thumbnail, variant};
use crate::secret::Secret;

type Error = Box<dyn std::error::Error>;

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key, and what belongs in the variable `api_keys`. Nothing is stored: the key is shown this once.
    New(NewKey),
}

#[derive(Args, Debug)]
pub(super) struct NewKey {
    /// Whose jobs the key makes and sees: 1 to 40 of a-z 0-9 . _ -; keys of one name have the same jobs.
    #[arg(value_parser = name, value_name = "NAME")]
    name: KeyName,
    /// What it may do: read, write and admin, with + between them.
    #[arg(long, default_value = "read+write", value_parser = scopes, value_name = "SCOPES")]
    scopes: Scopes,
    /// For how many days from today on (UTC) it is good [default: for ever].
    #[arg(long, value_name = "NUMBER")]
    days: Option<u64>,
}

#[derive(Args, Debug)]
pub(super) struct Link {
    /// The id of the job.
    #[arg(value_parser = job, value_name = "JOB")]
    job: String,
    /// Which of its thumbnails, where it has several [default: the first].
    #[arg(long, value_parser = variant, value_name = "NAME")]
    variant: Option<String>,
    /// For how long it is good: a number and s, m, h or d.
    #[arg(long, default_value = "1d", value_parser = seconds, value_name = "DURATION")]
    expires: i64,
    /// What stands before the path, as https://thumbs.example [default: nothing].
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ORIGIN")]
    origin: String,
    /// The variable `link_secret` of the service; by the environment only in practice, for others can see a command line.
    #[arg(long, env = "SPIN_VARIABLE_LINK_SECRET", hide_env_values = true, value_parser = secret, value_name = "SECRET")]
    secret: Secret,
}

fn name(text: &str) -> Result<KeyName, String> {
    KeyName::parse(text).ok_or_else(|| "a name is 1 to 40 of a-z 0-9 . _ -".to_owned())
}

fn scopes(text: &str) -> Result<Scopes, String> {
    Scopes::parse(text)
        .ok_or_else(|| "write one or more of read, write and admin, with + between them".to_owned())
}

/// As the service spells ids, which is what it signs.
fn job(text: &str) -> Result<String, String> {
    match uuid::Uuid::try_parse(text) {
        Ok(id) if id.hyphenated().to_string() == text => Ok(text.to_owned()),
        _ => Err("that is no job_id".to_owned()),
    }
}

fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || "write it as 90s, 30m, 12h or 7d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default().parse::<u32>().map_err(|_| wrong())?;
    if number == 0 { Err(wrong()) } else { Ok(i64::from(number) * each) }
}

fn now() -> Result<i64, Error> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?)
}

impl KeyCommand {
    pub(super) fn run(self) -> Result<(), Error> {
        let Self::New(options) = self;
        let mut random = [0; 24];
        getrandom::fill(&mut random)?;
        print!("{}", options.made(&Key::from_random(random), now()?)?);
        eprintln!(
            "\nGive the key to who is to use it; it is shown this once. Add the entry to the variable api_keys\n\
             (SPIN_VARIABLE_API_KEYS), which holds one a line or with commas between them, and start the service anew."
        );
        Ok(())
    }
}

impl NewKey {
    /// Two lines, for people and scripts.
    fn made(self, key: &Key, now: i64) -> Result<String, Error> {
        let too_far = "the calendar ends before that";
        let last_day = self.days.map(|days| last_day(now, days).ok_or(too_far)).transpose()?;
        Ok(format!("key    {}\nentry  {}\n", key.expose(), Entry::new(key, self.name, self.scopes, last_day)))
    }
}

impl Link {
    pub(super) fn run(self) -> Result<(), Error> {
        println!("{}", self.signed(now()?)?);
        Ok(())
    }

    fn signed(&self, now: i64) -> Result<String, Error> {
        let secrets = LinkSecrets::parse(self.secret.expose())?;
        let path = thumbnail(&self.job, self.variant.as_deref());
        let signature = secrets.sign(&path, now + self.expires).ok_or("the secret is empty")?;
        Ok(format!("{}{path}{}", self.origin.trim_end_matches('/'), signature.query()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thumbs_access::{Found, Keys, Scope, Signature};

    /// 2026-11-28T12:00:00Z.
    const NOON: i64 = 1_795_867_200;
    const JOB: &str = "01932c07-20a4-7b3c-8d4e-5f6071829304";
    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_new_key_is_one_that_its_entry_lets_in() {
        let new = NewKey { name: name("shop").unwrap(), scopes: scopes("read").unwrap(), days: Some(30) };
        let made = new.made(&Key::from_random([7; 24]), NOON).unwrap();
        let part = |label| made.lines().find_map(|line| line.strip_prefix(label)).unwrap().trim();
        assert!(part("entry").starts_with("shop:read:2026-12-28:"), "{made}");
        let keys = Keys::parse(part("entry")).unwrap();
        let key = Key::parse(part("key")).unwrap();
        assert!(matches!(keys.find(&key, NOON), Found::Good(entry) if entry.may(Scope::Read)));
    }

    #[test]
    fn a_link_is_signed_as_the_service_reads_it() {
        let origin = "https://thumbs.example/".to_owned();
        let mut link =
            Link { job: job(JOB).unwrap(), variant: None, expires: 60, origin, secret: Secret::new(SECRET) };
        for (name, path) in
            [(None, format!("/thumbnails/{JOB}")), (Some("card"), format!("/thumbnails/{JOB}/card"))]
        {
            link.variant = name.map(str::to_owned);
            let signed = link.signed(NOON).unwrap();
            let expected = format!("https://thumbs.example{path}?expires={}&signature=", NOON + 60);
            let text = signed.strip_prefix(&expected).unwrap_or_else(|| panic!("{signed}")).to_owned();
            let secrets = LinkSecrets::parse(SECRET).unwrap();
            assert!(secrets.have_signed(&path, &Signature { expires: NOON + 60, text }));
        }
        assert!(!format!("{link:?}").contains(SECRET));
    }

    #[test]
    fn what_is_no_duration_job_or_secret_is_refused() {
        assert_eq!(
            [seconds("90s"), seconds("2m"), seconds("1h"), seconds("1d")],
            [Ok(90), Ok(120), Ok(3600), Ok(86_400)]
        );
        for wrong in ["", "s", "0s", "1", "-1d", "1.5h", "1w", "99999999999d", "1ss"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "x", "../x", &JOB.to_uppercase()] {
            assert!(job(wrong).is_err(), "{wrong}");
        }
        let link = |secret| Link {
            job: JOB.to_owned(),
            variant: None,
            expires: 1,
            origin: String::new(),
            secret: Secret::new(secret),
        };
        assert!(link("").signed(NOON).is_err() && link("short").signed(NOON).is_err());
    }
}

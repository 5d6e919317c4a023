//! Each kind of lender over real sockets, and when it is asked.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
};

use chrono::{DateTime, Utc};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::capabilities::blob::S3Settings;

/// Answers requests by the script, the last of it again and again, and keeps what it was sent: a line of each, with its headers and its body.
#[derive(Debug, Default)]
struct Lender {
    script: Mutex<VecDeque<(u16, String)>>,
    sent: Mutex<Vec<String>>,
    asked: AtomicUsize,
}

impl Lender {
    async fn start(script: &[(u16, String)]) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = format!("http://{}", listener.local_addr().unwrap());
        let lender =
            Arc::new(Self { script: Mutex::new(script.iter().cloned().collect()), ..Self::default() });
        let serves = Arc::clone(&lender);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&serves).serve(stream));
            }
        });
        (lender, place)
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        loop {
            let (mut request, mut body_bytes) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if read.read_line(&mut line).await.unwrap_or_default() == 0 {
                    return;
                }
                if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    body_bytes = length.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
                request.push_str(&line);
            }
            let mut body = vec![0; body_bytes];
            read.read_exact(&mut body).await.unwrap();
            request.push_str(&String::from_utf8(body).unwrap());
            self.sent.lock().unwrap().push(request);
            self.asked.fetch_add(1, Ordering::SeqCst);
            let (status, answer) = {
                let mut script = self.script.lock().unwrap();
                if script.len() > 1 { script.pop_front().unwrap() } else { script[0].clone() }
            };
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", answer.len());
            write.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn bucket() -> S3Settings {
    S3Settings::read::<thumbs_s3::InvalidSetting>("s3://blobs", |name| {
        Ok(match name {
            "s3_endpoint_url" => "http://localhost:9000",
            "s3_region" => "eu-test-1",
            "s3_path_style" => "true",
            _ => "",
        }
        .to_owned())
    })
    .unwrap()
}

fn role(kind: &str, environment: &[(&str, String)]) -> Role {
    let value = |name: &str| environment.iter().find(|(its, _)| *its == name).map(|(_, value)| value.clone());
    Role::new(RoleSource::read(kind, "eu-test-1", value).unwrap(), &bucket(), Duration::from_secs(30))
        .unwrap()
}

/// So many seconds from now, as lenders write it.
fn moment(secs: i64) -> String {
    (DateTime::<Utc>::from(SystemTime::now()) + chrono::Duration::seconds(secs)).to_rfc3339()
}

fn loan(id: &str, secs: i64) -> (u16, String) {
    let until = moment(secs);
    let loan = format!(
        r#"{{"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"s","Token":"t","Expiration":"{until}"}}"#
    );
    (200, loan)
}

async fn id(role: &Role) -> Result<String, Error> {
    let settings = role.settings().await?;
    Ok(settings.credentials().unwrap().access_key_id.clone())
}

#[tokio::test]
async fn a_token_of_the_platform_is_exchanged_for_credentials() {
    let until = moment(3600);
    let answer = format!(
        "<R><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
         <SessionToken>t</SessionToken><Expiration>{until}</Expiration></Credentials></R>"
    );
    let (lender, place) = Lender::start(&[(200, answer)]).await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "a.b/c\n").unwrap();
    let role = role(
        "web-identity",
        &[
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/thumbs".to_owned()),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", file.display().to_string()),
            ("AWS_ENDPOINT_URL_STS", place),
        ],
    );
    assert_eq!(id(&role).await.as_deref(), Ok("ASIA"));
    let sent = lender.sent.lock().unwrap().remove(0);
    assert!(sent.starts_with("POST / HTTP/1.1\r\n"), "{sent}");
    let form = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fthumbs&\
                RoleSessionName=thumbs&WebIdentityToken=a.b%2Fc";
    assert!(sent.ends_with(form), "{sent}");
}

#[tokio::test]
async fn a_container_s_agent_is_asked_with_its_token() {
    let (lender, place) = Lender::start(&[loan("ASIA", 3600)]).await;
    let role = role(
        "container",
        &[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{place}/v2/credentials?id=1")),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hunter2".to_owned()),
        ],
    );
    assert_eq!(id(&role).await.as_deref(), Ok("ASIA"));
    let sent = lender.sent.lock().unwrap().remove(0);
    assert!(sent.starts_with("GET /v2/credentials?id=1 HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("authorization: hunter2\r\n"), "{sent}");
    assert!(!format!("{role:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_machine_s_metadata_are_asked_in_a_session() {
    let script = [(200, "session".to_owned()), (200, "thumbs-role\n".to_owned()), loan("ASIA", 3600)];
    let (lender, place) = Lender::start(&script).await;
    let role = role("instance", &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", place)]);
    assert_eq!(id(&role).await.as_deref(), Ok("ASIA"));
    let sent = lender.sent.lock().unwrap().clone();
    let begins = [
        "PUT /latest/api/token ",
        "GET /latest/meta-data/iam/security-credentials/ ",
        "GET /latest/meta-data/iam/security-credentials/thumbs-role ",
    ];
    for (sent, begin) in sent.iter().zip(begins) {
        assert!(sent.starts_with(begin), "{sent}");
    }
    assert!(sent[0].contains("x-aws-ec2-metadata-token-ttl-seconds: 60\r\n"));
    assert!(sent[1].contains("x-aws-ec2-metadata-token: session\r\n"), "{}", sent[1]);
}

#[tokio::test]
async fn a_loan_serves_until_it_nears_its_end_and_all_who_come_meanwhile_wait_for_one() {
    let (lender, place) = Lender::start(&[loan("first", 3600), loan("second", 3600)]).await;
    let role = role("container", &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", place)]);
    let all = futures_util::future::join_all((0..50).map(|_| id(&role))).await;
    assert!(all.iter().all(|id| id.as_deref() == Ok("first")), "{all:?}");
    assert_eq!(lender.asked(), 1);
    let old = role.loan().unwrap();
    role.keep(Loan { renew_at: SystemTime::now(), ..old });
    assert_eq!(id(&role).await.as_deref(), Ok("second"));
    assert_eq!((id(&role).await.as_deref(), lender.asked()), (Ok("second"), 2));
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_old_loan_until_its_end() {
    let refusal = (500, "secret words".to_owned());
    let (lender, place) = Lender::start(&[loan("first", 3600), refusal]).await;
    let role = role("container", &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", place)]);
    assert_eq!(id(&role).await.as_deref(), Ok("first"));
    let old = role.loan().unwrap();
    role.keep(Loan { renew_at: SystemTime::now(), ..old.clone() });
    for _ in 0..3 {
        assert_eq!(id(&role).await.as_deref(), Ok("first"));
    }
    assert_eq!(lender.asked(), 2, "it is not asked again at once");
    let over = SystemTime::now();
    role.keep(Loan { renew_at: over, until: over, ..old });
    let error = id(&role).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert!(error.to_string().contains("answers 500") && !error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn what_helps_nobody_is_refused_with_the_reason() {
    for (answer, word) in [
        (loan("ASIA", -1), "time is over"),
        ((403, String::new()), "answers 403"),
        ((200, "{}".to_owned()), "not one that lends"),
    ] {
        let (_, place) = Lender::start(&[answer]).await;
        let role = role("container", &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", place)]);
        let error = id(&role).await.unwrap_err();
        assert!(!matches!(error, Error::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let read = |kind: &str, environment: &[(&str, &str)]| {
        let value = |name: &str| {
            environment.iter().find(|(its, _)| *its == name).map(|(_, value)| (*value).to_owned())
        };
        RoleSource::read(kind, "eu-test-1", value).map(|source| source.place())
    };
    for (kind, environment, word) in [
        ("web-identity", &[("AWS_ROLE_ARN", "arn")][..], "AWS_WEB_IDENTITY_TOKEN_FILE"),
        ("web-identity", &[("AWS_WEB_IDENTITY_TOKEN_FILE", "f")], "AWS_ROLE_ARN"),
        ("container", &[], "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        ("container", &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere/x")], "must be https"),
        ("container", &[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@elsewhere")], "slash"),
        ("instance", &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "file:///etc")], "no URL of http"),
        ("keys", &[], "web-identity, container, instance"),
    ] {
        let error = read(kind, environment).unwrap_err();
        assert!(error.contains(word), "{kind}: {error}");
    }
    let identity = [("AWS_ROLE_ARN", "arn"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "f")];
    assert_eq!(read("web-identity", &identity).unwrap(), "https://sts.eu-test-1.amazonaws.com");
    let relative = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")];
    assert_eq!(read("container", &relative).unwrap(), "http://169.254.170.2");
    assert_eq!(read("instance", &[]).unwrap(), "http://169.254.169.254");
}

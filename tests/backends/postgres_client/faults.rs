//! Servers that refuse, go away and come back.

use super::*;

/// What a look and what a guest are told, which must be the same and hold no secret.
async fn fault(url: &str) -> ServerFault {
    let client = Client::new(&Limits::default());
    let fault = client.check(url).await.unwrap_err();
    assert_eq!(connection_failed(client.open(url).await), fault.to_string());
    for secret in [PASSWORD, "hunter2", "p%40"] {
        assert!(!fault.to_string().contains(secret), "{fault}");
    }
    fault
}

#[tokio::test]
async fn a_password_with_every_special_character_lets_in() {
    let Some(database) = database() else { return };
    let client = Client::new(&Limits::default());
    assert_eq!(client.check(&database.url).await, Ok(()));
    let mut session = client.open(&database.url).await.unwrap();
    assert!(
        matches!(value(&mut session, "SELECT current_user").await, DbValue::Str(user) if user == "thumbs")
    );
}

#[tokio::test]
async fn each_refusal_is_one_clear_sentence_without_a_secret() {
    let Some(database) = database() else { return };
    let Database { url, name } = &database;
    let (before, place) = url.split_once('@').unwrap();
    let (server, _) = place.split_once('/').unwrap();
    let wrong_password = format!("postgres://thumbs:hunter2@{place}");
    let no_password = format!("postgres://thumbs@{place}");
    let wrong_user = format!("postgres://nobody:hunter2@{place}");
    let no_database = format!("{before}@{server}/nothing%20here?sslmode=disable");
    let no_tls = url.replace("sslmode=disable", "sslmode=require");
    for (address, database, said) in [
        (&wrong_password, name.as_str(), "refuses this user with this password: correct its address"),
        (&wrong_user, name, "refuses this user with this password: correct its address"),
        (&no_password, name, "asks for a password, and its address has none"),
        (&no_database, "nothing here", "does not exist: create it, or correct its address"),
        (&no_tls, name, "offers no TLS, which its sslmode asks for"),
    ] {
        let expected = format!("the PostgreSQL database \"{database}\" at {server} {said}");
        assert_eq!(fault(address).await, ServerFault::Refused(expected));
    }
    let bare = "postgres://thumbs:p@:/hunter2@localhost/db";
    assert!(fault(bare).await.to_string().contains("can't be read as a URL"));
}

#[tokio::test]
async fn a_database_that_a_user_may_not_enter_says_so() {
    let Some(database) = database() else { return };
    let mut session = database.outside().await;
    let name = &database.name;
    run(&mut session, &format!("CREATE ROLE {name}_guest LOGIN PASSWORD 'hunter2'")).await;
    run(&mut session, &format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")).await;
    let (_, place) = database.url.split_once('@').unwrap();
    let refused = fault(&format!("postgres://{name}_guest:hunter2@{place}")).await;
    assert!(matches!(&refused, ServerFault::Refused(text) if text.contains("grant CONNECT")), "{refused}");
}

#[tokio::test]
async fn a_full_server_is_unreachable_for_now() {
    let Some(database) = database() else { return };
    let mut session = database.outside().await;
    let name = &database.name;
    run(&mut session, &format!("CREATE ROLE {name}_one LOGIN PASSWORD 'hunter2' CONNECTION LIMIT 1")).await;
    let (_, place) = database.url.split_once('@').unwrap();
    let url = format!("postgres://{name}_one:hunter2@{place}");
    let (first, second) = (Client::new(&Limits::default()), Client::new(&Limits::default()));
    let _held = first.open(&url).await.unwrap();
    let full = second.check(&url).await.unwrap_err();
    assert!(matches!(&full, ServerFault::Unreachable(text) if text.contains("no connection left")), "{full}");
}

#[tokio::test]
async fn everything_resumes_when_a_server_comes_back() {
    let Some(mut server) = servers::available(Postgres::start(Auth::Trust)) else { return };
    let url = server.url();
    let client = Client::new(&Limits::default());
    let mut session = client.open(&url).await.unwrap();
    run(&mut session, "CREATE TABLE t (a INT)").await;
    drop(session);
    let insert = "INSERT INTO t (a) VALUES (1)";
    for end in [Postgres::kill as fn(&mut Postgres), Postgres::stop] {
        // Several wait in the pool, with the statement prepared.
        let mut sessions = Vec::new();
        for _ in 0..3 {
            let mut session = client.open(&url).await.unwrap();
            session.execute(insert, Vec::new()).await.unwrap();
            sessions.push(session);
        }
        let mut held = sessions.pop().unwrap();
        drop(sessions);

        end(&mut server);
        // The processes of a killed server end a moment after it.
        let begin = Instant::now();
        let lost = loop {
            match held.query("SELECT 1", Vec::new()).await {
                Ok(_) => assert!(begin.elapsed() < PATIENCE, "the server's processes go on"),
                lost => break connection_failed(lost),
            }
        };
        assert!(lost.contains("the connection was lost"), "{lost}");
        let away = client.check(&url).await.unwrap_err();
        assert!(matches!(away, ServerFault::Unreachable(_)), "{away}");
        assert_eq!(connection_failed(client.open(&url).await), away.to_string());
        assert!(away.to_string().contains("connection refused"), "{away}");

        server.restart();
        assert!(connection_failed(held.execute(insert, Vec::new()).await).contains("lost"));
        for _ in 0..4 {
            let mut session = client.open(&url).await.unwrap();
            session.execute(insert, Vec::new()).await.unwrap();
        }
        assert_eq!(client.check(&url).await, Ok(()));
    }
    let mut session = client.open(&url).await.unwrap();
    assert_eq!(integer(&mut session, "SELECT count(*) FROM t").await, 14, "each was written once");
}

/// The first statement after the restart is the first that meets the dead connections.
#[tokio::test]
async fn a_restart_that_nobody_noticed_costs_no_request() {
    let Some(mut server) = servers::available(Postgres::start(Auth::Trust)) else { return };
    let url = server.url();
    let client = Client::new(&Limits::default());
    let mut sessions = Vec::new();
    for _ in 0..3 {
        let mut session = client.open(&url).await.unwrap();
        assert_eq!(integer(&mut session, "SELECT 7").await, 7);
        sessions.push(session);
    }
    drop(sessions);
    for end in [Postgres::kill as fn(&mut Postgres), Postgres::stop] {
        // An answer later than those to the resets of the others, which wait in the pool by then.
        assert_eq!(client.check(&url).await, Ok(()));
        end(&mut server);
        server.restart();
        let mut session = client.open(&url).await.unwrap();
        assert_eq!(integer(&mut session, "SELECT 7").await, 7);
    }
}

#[tokio::test]
async fn a_connection_that_an_operator_ends_costs_no_request() {
    let Some(database) = database() else { return };
    let (client, mut session) = database.open(Limits::default()).await;
    let mut outside = database.outside().await;
    for _ in 0..20 {
        let process = backend(&mut session).await;
        drop(session);
        run(&mut outside, &format!("SELECT pg_terminate_backend({process})")).await;
        session = client.open(&database.url).await.unwrap();
        // Not prepared on any connection: it can be done on another wherever the end is noticed.
        assert_eq!(integer(&mut session, &format!("SELECT {process}")).await, process);
    }
}

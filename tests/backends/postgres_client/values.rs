//! Values go in and come out as the interface says.

use thumbs::capabilities::postgres::DbDataType;

use super::*;

#[tokio::test]
async fn every_type_of_the_interface_goes_in_and_comes_out() {
    let Some(database) = database() else { return };
    let (_, mut session) = database.open(Limits::default()).await;
    for (ty, parameter, expected, data_type) in [
        ("bool", ParameterValue::Boolean(true), DbValue::Boolean(true), DbDataType::Boolean),
        ("int2", ParameterValue::Int16(i16::MIN), DbValue::Int16(i16::MIN), DbDataType::Int16),
        ("int4", ParameterValue::Int32(i32::MAX), DbValue::Int32(i32::MAX), DbDataType::Int32),
        ("int8", ParameterValue::Int64(i64::MIN), DbValue::Int64(i64::MIN), DbDataType::Int64),
        ("int2", ParameterValue::Int64(-7), DbValue::Int16(-7), DbDataType::Int16),
        ("int4", ParameterValue::Int64(-7), DbValue::Int32(-7), DbDataType::Int32),
        ("int8", ParameterValue::Int8(-7), DbValue::Int64(-7), DbDataType::Int64),
        ("float4", ParameterValue::Floating32(0.1), DbValue::Floating32(0.1), DbDataType::Floating32),
        ("float8", ParameterValue::Floating64(0.1), DbValue::Floating64(0.1), DbDataType::Floating64),
        ("float8", ParameterValue::Floating32(0.5), DbValue::Floating64(0.5), DbDataType::Floating64),
        ("text", text("ä\u{1f642}'"), DbValue::Str("ä\u{1f642}'".into()), DbDataType::Str),
        ("text", text(""), DbValue::Str(String::new()), DbDataType::Str),
        ("varchar", text("a"), DbValue::Str("a".into()), DbDataType::Str),
        ("char(3)", text("a"), DbValue::Str("a  ".into()), DbDataType::Str),
        ("name", text("a"), DbValue::Str("a".into()), DbDataType::Str),
        ("bytea", ParameterValue::Binary(vec![0, 255]), DbValue::Binary(vec![0, 255]), DbDataType::Binary),
        ("bytea", ParameterValue::Binary(vec![]), DbValue::Binary(vec![]), DbDataType::Binary),
    ] {
        let result = session.query(&format!("SELECT CAST($1 AS {ty}) AS x"), vec![parameter]).await.unwrap();
        let shown = |value: &DbValue| format!("{value:?}");
        assert_eq!(shown(&result.rows[0][0]), shown(&expected), "{ty}");
        assert_eq!((result.columns[0].name.as_str(), result.columns[0].data_type), ("x", data_type), "{ty}");
    }
}

#[tokio::test]
async fn a_null_goes_in_and_comes_out_as_any_type() {
    let Some(database) = database() else { return };
    let (_, mut session) = database.open(Limits::default()).await;
    for ty in ["bool", "int2", "int8", "float8", "text", "bytea", "uuid", "jsonb", "text[]", "timestamptz"] {
        let statement = format!("SELECT CAST($1 AS {ty})");
        let result = session.query(&statement, vec![ParameterValue::DbNull]).await.unwrap();
        assert!(matches!(result.rows[0][0], DbValue::DbNull), "{ty}: {result:?}");
    }
}

#[tokio::test]
async fn types_that_the_interface_has_not_are_unsupported_and_do_no_harm() {
    let Some(database) = database() else { return };
    let (_, mut session) = database.open(Limits::default()).await;
    run(&mut session, "CREATE TYPE mood AS ENUM ('sad', 'happy')").await;
    run(&mut session, "CREATE DOMAIN positive AS int CHECK (VALUE > 0)").await;
    let statement = "SELECT CAST('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' AS uuid), CAST('{}' AS jsonb), CAST('1.5' AS numeric),
        CAST('{a}' AS text[]), CAST('now' AS timestamptz), CAST('happy' AS mood), CAST('7' AS positive)";
    let result = run(&mut session, statement).await;
    let (last, others) = result.rows[0].split_last().unwrap();
    assert!(others.iter().all(|value| matches!(value, DbValue::Unsupported)), "{result:?}");
    assert!(matches!(last, DbValue::Int32(7)), "a domain is its underlying type: {last:?}");
    assert!(result.columns[..6].iter().all(|column| column.data_type == DbDataType::Other), "{result:?}");
    // Their text is for the asking, and they can be given as text.
    let statement = "SELECT CAST(CAST(CAST($1 AS text) AS mood) AS text)";
    let result = session.query(statement, vec![text("sad")]).await.unwrap();
    assert!(matches!(&result.rows[0][0], DbValue::Str(mood) if mood == "sad"), "{result:?}");
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_refused_before_they_are_sent() {
    let Some(database) = database() else { return };
    let (_, mut session) = database.open(Limits::default()).await;
    for (statement, parameters, said) in [
        ("SELECT CAST($1 AS int4)", vec![ParameterValue::Int64(1 << 40)], "$1 does not fit into int4"),
        ("SELECT CAST($1 AS text)", vec![ParameterValue::Int64(1)], "$1 is an integer"),
        ("SELECT CAST($1 AS int8)", vec![ParameterValue::Uint64(1)], "unsigned"),
        (
            "SELECT CAST($1 AS uuid)",
            vec![text("x")],
            "$1 is a text, and its place in the statement is of type uuid",
        ),
        ("SELECT CAST($1 AS text)", vec![], "has 1 parameters, and 0 were given"),
        ("SELECT 1", vec![text("x")], "has 0 parameters, and 1 were given"),
    ] {
        match session.query(statement, parameters).await {
            Err(Error::BadParameter(text)) => assert!(text.contains(said), "{statement}: {text}"),
            other => panic!("{statement}: {other:?}"),
        }
    }
    assert_eq!(integer(&mut session, "SELECT 7").await, 7);
}

#[tokio::test]
async fn a_query_names_its_columns_even_without_rows_and_execute_counts() {
    let Some(database) = database() else { return };
    let (_, mut session) = database.open(Limits::default()).await;
    let mut execute = async |statement: &str| session.execute(statement, Vec::new()).await.unwrap();
    assert_eq!(execute("CREATE TABLE t (a INT, b TEXT)").await, 0);
    assert_eq!(execute("INSERT INTO t (a) VALUES (1), (2), (3)").await, 3);
    assert_eq!(execute("UPDATE t SET b = 'x' WHERE a > 1 RETURNING a").await, 2);
    assert_eq!(execute("SELECT a FROM t").await, 3);
    assert_eq!(execute("DELETE FROM t").await, 3);
    assert_eq!(execute("").await, 0);
    let result = run(&mut session, "SELECT a, b FROM t").await;
    let names: Vec<_> = result.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names, result.rows.len()), (vec!["a", "b"], 0));
}

#[tokio::test]
async fn a_refused_statement_says_why_and_the_session_goes_on() {
    let Some(database) = database() else { return };
    let (_, mut session) = database.open(Limits::default()).await;
    run(&mut session, "CREATE TABLE t (a INT PRIMARY KEY)").await;
    run(&mut session, "INSERT INTO t (a) VALUES (1)").await;
    for (statement, code) in [
        ("SELEC 1", "42601"),
        ("SELECT * FROM nothing", "42P01"),
        ("SELECT 1 / 0", "22012"),
        ("SELECT 1; SELECT 2", "42601"),
        ("INSERT INTO t (a) VALUES (1)", "23505"),
        ("EXECUTE nothing", "26000"),
        ("EXECUTE nothing", "26000"),
    ] {
        let said = query_failed(session.query(statement, Vec::new()).await);
        assert!(said.contains(&format!("(SQLSTATE {code})")), "{statement}: {said}");
    }
    let said = query_failed(session.query("SELECT '\0'", Vec::new()).await);
    assert!(said.contains("NUL"), "{said}");
    assert_eq!(integer(&mut session, "SELECT 7").await, 7);
}

#[tokio::test]
async fn a_statement_that_this_interface_has_no_form_for_is_refused() {
    let Some(database) = database() else { return };
    let (client, mut session) = database.open(Limits::default()).await;
    run(&mut session, "CREATE TABLE t (a INT)").await;
    for statement in ["COPY t FROM STDIN", "COPY t TO STDOUT"] {
        let mut session = client.open(&database.url).await.unwrap();
        let said = query_failed(session.query(statement, Vec::new()).await);
        assert!(said.contains("can't be run through this interface"), "{statement}: {said}");
    }
    let mut session = client.open(&database.url).await.unwrap();
    assert_eq!(integer(&mut session, "SELECT 7").await, 7);
}

//! The contract of the job store through the runtime's client: the SQL that ships, with the values and the sessions that components get
//! from the runtime. The conversions are those of the guest library's host interface.

use thumbs_guest::job_store_contract;
use thumbs_guest::jobs::SqlJobStore;
use thumbs_guest::jobs::contract::{Kind, TestDatabase, Whole};
use thumbs_guest::sql::{Dialect, Postgres, Sql, SqlError, SqlRow, SqlValue};
use tokio::runtime::Runtime;

use super::*;

/// One instance of the service: a client of its own.
struct Instance {
    client: Client,
    url: String,
}

/// What the clients' connections run on.
fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    &RUNTIME
}

impl Instance {
    fn new(url: &str, limits: &Limits) -> Self {
        let _runtime = runtime().enter();
        Self { client: Client::new(limits), url: url.to_owned() }
    }

    fn run(&self, statement: &str, parameters: Vec<ParameterValue>) -> Result<RowSet, Error> {
        runtime().block_on(async { self.client.open(&self.url).await?.query(statement, parameters).await })
    }
}

impl Sql for Instance {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let parameters = parameters
            .iter()
            .map(|value| match value {
                SqlValue::Null => ParameterValue::DbNull,
                SqlValue::Integer(integer) => ParameterValue::Int64(*integer),
                SqlValue::Text(text) => ParameterValue::Str(text.clone()),
            })
            .collect();
        let result =
            self.run(statement, parameters).map_err(|error| Postgres::judge(format!("{error:?}")))?;
        let value = |value| match value {
            DbValue::DbNull => SqlValue::Null,
            DbValue::Int64(integer) => SqlValue::Integer(integer),
            DbValue::Int32(integer) => SqlValue::Integer(integer.into()),
            DbValue::Str(text) => SqlValue::Text(text),
            other => panic!("a value that the guest library does not take: {other:?}"),
        };
        Ok(result.rows.into_iter().map(|row| row.into_iter().map(value).collect()).collect())
    }
}

impl Database {
    fn instance(&self) -> Instance {
        Instance::new(&self.url, &Limits::default())
    }
}

impl TestDatabase for Database {
    const KIND: Kind = Kind::Postgres;

    fn connect(&self) -> Box<dyn Whole + Send> {
        Box::new(SqlJobStore::<_, Postgres>::new(self.instance()))
    }

    fn sql(&self) -> Box<dyn Sql> {
        Box::new(self.instance())
    }
}

job_store_contract!(database);

/// No call of the store costs a connection.
#[test]
fn the_job_store_keeps_its_connection() {
    let Some(database) = database() else { return };
    let now = thumbs_domain::timestamp::Timestamp::from_unix_millis(0);
    assert_eq!(database.connect().has_due(now), Ok(false));
    let limits = Limits { pg_max_connections: 1, ..Limits::default() };
    let looker = Instance::new(&database.url, &limits);
    let store = SqlJobStore::<_, Postgres>::new(Instance {
        client: looker.client.clone(),
        url: database.url.clone(),
    });
    let backend = || match &looker.run("SELECT pg_backend_pid()", Vec::new()).unwrap().rows[0][0] {
        DbValue::Int32(process) => *process,
        other => panic!("{other:?}"),
    };
    let process = backend();
    thumbs_guest::jobs::contract::use_every_call(&store);
    assert_eq!(backend(), process);
}

//! The job store's SQL over an independent driver, without wasm and without the runtime's client. Parameters are bound as the host
//! interface binds them: 64-bit integers, texts, and a null of any type.

use std::{cell::RefCell, error::Error};

use postgres::{
    Client,
    types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};
use thumbs_guest::sql::{Dialect, Postgres, Sql, SqlError, SqlRow, SqlValue};

#[derive(Debug)]
struct Parameter<'a>(&'a SqlValue);

impl ToSql for Parameter<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            SqlValue::Null => Ok(IsNull::Yes),
            SqlValue::Integer(integer) => integer.to_sql_checked(ty, out),
            SqlValue::Text(text) => text.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A connection.
pub struct Driver(RefCell<Client>);

impl Driver {
    /// Over an open connection.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(RefCell::new(client))
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Driver")
    }
}

impl Sql for Driver {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let parameters: Vec<Parameter<'_>> = parameters.iter().map(Parameter).collect();
        let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|p| p as _).collect();
        let judged = |error: postgres::Error| Postgres::judge(format!("{error:?}"));
        let rows = self.0.borrow_mut().query(statement, &parameters).map_err(judged)?;
        let value = |row: &postgres::Row, index: usize| match *row.columns()[index].type_() {
            Type::INT8 => row.get::<_, Option<i64>>(index).into(),
            Type::INT4 => row.get::<_, Option<i32>>(index).map(i64::from).into(),
            Type::TEXT => row.get::<_, Option<String>>(index).into(),
            ref other => panic!("a column of type {other}"),
        };
        Ok(rows.iter().map(|row| (0..row.len()).map(|index| value(row, index)).collect()).collect())
    }
}

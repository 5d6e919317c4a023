//! Values on their way in and out.
//!
//! | PostgreSQL | row | parameter |
//! |---|---|---|
//! | `bool` | `boolean` | `boolean` |
//! | `int2`, `int4`, `int8` | `int16`, `int32`, `int64` | any signed integer that fits |
//! | `float4`, `float8` | `floating32`, `floating64` | `floating32`; `float8` also `floating64` |
//! | `text`, `varchar`, `char(n)`, `name` | `str` | `str` |
//! | `bytea` | `binary` | `binary` |
//! | any | `db-null` | `db-null` |
//! | others | `unsupported` | a cast in the statement: `CAST($1 AS TEXT)::uuid` |
//!
//! Spin does the same, but for `name`, and for integers, which there have to be as wide as the column. Unsigned ones are refused as there.

use bytes::BytesMut;
use tokio_postgres::{
    Column, Row,
    types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked},
};

use super::rdbms_types::{self as wit, DbDataType, DbValue, ParameterValue};

type Reason = Box<dyn std::error::Error + Send + Sync>;

/// A parameter that fits its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound<'a> {
    Null,
    Boolean(bool),
    Char(i8),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    Floating32(f32),
    Floating64(f64),
    Text(&'a str),
    Binary(&'a [u8]),
}

/// Fits parameters to the types that the server inferred.
///
/// # Errors
/// Which parameter does not fit, and why; never its value.
pub(super) fn bind<'a>(
    parameters: &'a [ParameterValue],
    types: &[Type],
    max_value_bytes: usize,
) -> Result<Vec<Bound<'a>>, wit::Error> {
    if parameters.len() != types.len() {
        let (expected, given) = (types.len(), parameters.len());
        return Err(wit::Error::BadParameter(format!(
            "the statement has {expected} parameters, and {given} were given"
        )));
    }
    let one = |(index, (value, ty)): (usize, (&'a ParameterValue, &Type))| {
        Bound::of(value, ty, max_value_bytes)
            .map_err(|reason| wit::Error::BadParameter(format!("parameter ${} {reason}", index + 1)))
    };
    parameters.iter().zip(types).enumerate().map(one).collect()
}

impl<'a> Bound<'a> {
    fn of(value: &'a ParameterValue, ty: &Type, max_value_bytes: usize) -> Result<Self, String> {
        let ty = underlying(ty);
        let mismatch =
            |kind: &str| Err(format!("is {kind}, and its place in the statement is of type {}", ty.name()));
        let short = |bytes: usize| match bytes > max_value_bytes {
            true => Err(format!("has more than {max_value_bytes} bytes")),
            false => Ok(()),
        };
        match value {
            ParameterValue::DbNull => Ok(Self::Null),
            ParameterValue::Boolean(value) if *ty == Type::BOOL => Ok(Self::Boolean(*value)),
            ParameterValue::Boolean(_) => mismatch("a boolean"),
            ParameterValue::Int8(value) if *ty == Type::CHAR => Ok(Self::Char(*value)),
            ParameterValue::Int8(value) => Self::integer((*value).into(), ty),
            ParameterValue::Int16(value) => Self::integer((*value).into(), ty),
            ParameterValue::Int32(value) => Self::integer((*value).into(), ty),
            ParameterValue::Int64(value) => Self::integer(*value, ty),
            ParameterValue::Uint8(_)
            | ParameterValue::Uint16(_)
            | ParameterValue::Uint32(_)
            | ParameterValue::Uint64(_) => Err("is an unsigned integer, which PostgreSQL has not".into()),
            ParameterValue::Floating32(value) if *ty == Type::FLOAT4 => Ok(Self::Floating32(*value)),
            ParameterValue::Floating32(value) if *ty == Type::FLOAT8 => Ok(Self::Floating64((*value).into())),
            ParameterValue::Floating64(value) if *ty == Type::FLOAT8 => Ok(Self::Floating64(*value)),
            ParameterValue::Floating32(_) => mismatch("a 32-bit float"),
            ParameterValue::Floating64(_) => mismatch("a 64-bit float"),
            ParameterValue::Str(text) if <&str as ToSql>::accepts(ty) => {
                short(text.len()).map(|()| Self::Text(text))
            }
            ParameterValue::Str(_) => mismatch("a text"),
            ParameterValue::Binary(bytes) if *ty == Type::BYTEA => {
                short(bytes.len()).map(|()| Self::Binary(bytes))
            }
            ParameterValue::Binary(_) => mismatch("a byte string"),
        }
    }

    fn integer(value: i64, ty: &Type) -> Result<Self, String> {
        let fitting = match *ty {
            Type::INT2 => i16::try_from(value).map(Self::Int16),
            Type::INT4 => i32::try_from(value).map(Self::Int32),
            Type::INT8 => Ok(Self::Int64(value)),
            _ => {
                return Err(format!(
                    "is an integer, and its place in the statement is of type {}",
                    ty.name()
                ));
            }
        };
        fitting.map_err(|_| format!("does not fit into {}", ty.name()))
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Reason> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Boolean(value) => value.to_sql(ty, out),
            Self::Char(value) => value.to_sql(ty, out),
            Self::Int16(value) => value.to_sql(ty, out),
            Self::Int32(value) => value.to_sql(ty, out),
            Self::Int64(value) => value.to_sql(ty, out),
            Self::Floating32(value) => value.to_sql(ty, out),
            Self::Floating64(value) => value.to_sql(ty, out),
            Self::Text(value) => value.to_sql(ty, out),
            Self::Binary(value) => value.to_sql(ty, out),
        }
    }

    /// [`Bound::of`] has looked.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The names and types of a result.
pub(super) fn columns(columns: &[Column]) -> Vec<wit::Column> {
    columns
        .iter()
        .map(|column| wit::Column { name: column.name().to_owned(), data_type: data_type(column.type_()) })
        .collect()
}

fn data_type(ty: &Type) -> DbDataType {
    match *underlying(ty) {
        Type::BOOL => DbDataType::Boolean,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => DbDataType::Str,
        Type::BYTEA => DbDataType::Binary,
        _ => DbDataType::Other,
    }
}

/// The type that a domain is made of. Values of both look the same.
fn underlying(mut ty: &Type) -> &Type {
    while let Kind::Domain(of) = ty.kind() {
        ty = of;
    }
    ty
}

/// A value as the server sent it.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Reason> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The values of a row, and what they count: their bytes, and a little for being there.
///
/// # Errors
/// A value is longer than `max_value_bytes`, or not what its type says.
pub(super) fn row(row: &Row, max_value_bytes: usize) -> Result<(Vec<DbValue>, usize), wit::Error> {
    let mut values = Vec::with_capacity(row.len());
    let mut bytes = 0_usize;
    for (index, column) in row.columns().iter().enumerate() {
        let unreadable =
            || wit::Error::ValueConversionFailed(format!("column {:?} can't be read", column.name()));
        let raw = row.try_get::<_, Option<Raw<'_>>>(index).map_err(|_| unreadable())?;
        let value = match raw {
            None => DbValue::DbNull,
            Some(Raw(raw)) => {
                if raw.len() > max_value_bytes {
                    return Err(wit::Error::QueryFailed(format!(
                        "a value in column {:?} has more than {max_value_bytes} bytes",
                        column.name()
                    )));
                }
                value(underlying(column.type_()), raw).map_err(|_| unreadable())?
            }
        };
        bytes = bytes.saturating_add(size(&value));
        values.push(value);
    }
    Ok((values, bytes))
}

fn value(ty: &Type, raw: &[u8]) -> Result<DbValue, Reason> {
    Ok(match *ty {
        Type::BOOL => DbValue::Boolean(FromSql::from_sql(ty, raw)?),
        Type::INT2 => DbValue::Int16(FromSql::from_sql(ty, raw)?),
        Type::INT4 => DbValue::Int32(FromSql::from_sql(ty, raw)?),
        Type::INT8 => DbValue::Int64(FromSql::from_sql(ty, raw)?),
        Type::FLOAT4 => DbValue::Floating32(FromSql::from_sql(ty, raw)?),
        Type::FLOAT8 => DbValue::Floating64(FromSql::from_sql(ty, raw)?),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => DbValue::Str(FromSql::from_sql(ty, raw)?),
        Type::BYTEA => DbValue::Binary(raw.to_owned()),
        _ => DbValue::Unsupported,
    })
}

/// What a parameter takes besides its place in the list.
pub(super) fn parameter_bytes(value: &ParameterValue) -> usize {
    match value {
        ParameterValue::Str(text) => text.len(),
        ParameterValue::Binary(bytes) => bytes.len(),
        _ => 0,
    }
}

fn size(value: &DbValue) -> usize {
    let long = match value {
        DbValue::Str(text) => text.len(),
        DbValue::Binary(bytes) => bytes.len(),
        _ => 0,
    };
    long.saturating_add(size_of::<DbValue>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(value: &ParameterValue, ty: &Type) -> Result<String, String> {
        Bound::of(value, ty, 4).map(|bound| format!("{bound:?}"))
    }

    fn domain(of: Type) -> Type {
        Type::new("positive".into(), 99_999, Kind::Domain(of), "public".into())
    }

    #[test]
    fn integers_bind_wherever_they_fit() {
        for (value, ty, expected) in [
            (ParameterValue::Int64(-32_768), Type::INT2, "Int16(-32768)"),
            (ParameterValue::Int64(2_147_483_647), Type::INT4, "Int32(2147483647)"),
            (ParameterValue::Int64(i64::MIN), Type::INT8, "Int64(-9223372036854775808)"),
            (ParameterValue::Int32(7), Type::INT8, "Int64(7)"),
            (ParameterValue::Int16(7), Type::INT4, "Int32(7)"),
            (ParameterValue::Int8(7), Type::INT2, "Int16(7)"),
            (ParameterValue::Int8(7), Type::CHAR, "Char(7)"),
            (ParameterValue::Int64(7), domain(domain(Type::INT4)), "Int32(7)"),
        ] {
            assert_eq!(bound(&value, &ty).as_deref(), Ok(expected), "{ty}");
        }
        for (value, ty, reason) in [
            (ParameterValue::Int64(32_768), Type::INT2, "does not fit into int2"),
            (ParameterValue::Int64(-2_147_483_649), Type::INT4, "does not fit into int4"),
            (
                ParameterValue::Int64(7),
                Type::TEXT,
                "is an integer, and its place in the statement is of type text",
            ),
            (
                ParameterValue::Int64(7),
                Type::FLOAT8,
                "is an integer, and its place in the statement is of type float8",
            ),
            (ParameterValue::Uint8(7), Type::INT8, "is an unsigned integer, which PostgreSQL has not"),
            (ParameterValue::Uint64(7), Type::INT8, "is an unsigned integer, which PostgreSQL has not"),
        ] {
            assert_eq!(bound(&value, &ty), Err(reason.to_owned()), "{ty}");
        }
    }

    #[test]
    fn a_null_binds_to_every_type_and_others_to_their_own() {
        for ty in [Type::INT2, Type::UUID, Type::JSONB, Type::TEXT_ARRAY, domain(Type::BOOL)] {
            assert_eq!(bound(&ParameterValue::DbNull, &ty).as_deref(), Ok("Null"), "{ty}");
        }
        for (value, ty, expected) in [
            (ParameterValue::Boolean(true), Type::BOOL, "Boolean(true)"),
            (ParameterValue::Floating32(0.5), Type::FLOAT4, "Floating32(0.5)"),
            (ParameterValue::Floating32(0.5), Type::FLOAT8, "Floating64(0.5)"),
            (ParameterValue::Floating64(0.5), Type::FLOAT8, "Floating64(0.5)"),
            (ParameterValue::Str("äö".into()), Type::BPCHAR, "Text(\"äö\")"),
            (ParameterValue::Str("a".into()), Type::NAME, "Text(\"a\")"),
            (ParameterValue::Binary(vec![1, 2, 3, 4]), Type::BYTEA, "Binary([1, 2, 3, 4])"),
        ] {
            assert_eq!(bound(&value, &ty).as_deref(), Ok(expected), "{ty}");
        }
        for (value, ty) in [
            (ParameterValue::Boolean(true), Type::INT4),
            (ParameterValue::Floating64(0.5), Type::FLOAT4),
            (ParameterValue::Floating64(0.5), Type::NUMERIC),
            (ParameterValue::Str("1".into()), Type::INT4),
            (ParameterValue::Str("x".into()), Type::UUID),
            (ParameterValue::Str("12345".into()), Type::TEXT),
            (ParameterValue::Binary(vec![1]), Type::TEXT),
            (ParameterValue::Binary(vec![1, 2, 3, 4, 5]), Type::BYTEA),
        ] {
            assert!(bound(&value, &ty).is_err(), "{ty}");
        }
    }

    #[test]
    fn a_parameter_that_does_not_fit_is_named_and_not_quoted() {
        let parameters = [ParameterValue::DbNull, ParameterValue::Str("hunter2".into())];
        for (types, said) in [
            (&[Type::INT4, Type::INT4][..], "parameter $2 is a text, and its place"),
            (&[Type::INT4, Type::TEXT][..], "parameter $2 has more than 4 bytes"),
            (&[Type::INT4][..], "has 1 parameters, and 2 were given"),
        ] {
            match bind(&parameters, types, 4) {
                Err(wit::Error::BadParameter(text)) => {
                    assert!(text.contains(said) && !text.contains("hunter2"), "{text}");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn bytes_that_are_no_value_are_an_error_and_unknown_types_none() {
        assert!(value(&Type::INT4, &[1]).is_err());
        assert!(value(&Type::BOOL, &[]).is_err());
        assert!(value(&Type::TEXT, &[0xff]).is_err());
        assert!(matches!(value(&Type::UUID, &[1]), Ok(DbValue::Unsupported)));
        assert!(matches!(value(&domain(Type::INT2), &[1]), Ok(DbValue::Unsupported)));
        assert!(matches!(value(underlying(&domain(Type::INT2)), &[0, 7]), Ok(DbValue::Int16(7))));
    }
}

//! What each request is looked at by before its component sees it: whose pages may ask, and how often one client may.
//!
//! All of it is one text (`thumbs_domain::variable::EDGE`), so that a service without bounds pays one call to the host as it would without
//! this.

use thumbs_domain::address::TrustedProxies;
use thumbs_domain::origin::Origins;
use thumbs_domain::rate::{Class, Rate};
use thumbs_domain::variable::{EDGE, SEPARATOR, Variable};

use super::{ConfigError, Variables, invalid};

/// Each part by itself: one that makes no sense does not make the other worse.
#[derive(Debug)]
pub struct Edge {
    /// The variable `allowed_origins`.
    pub origins: Result<Origins, ConfigError>,
    /// The variables `writes_per_minute` and their like, and `trusted_proxies`.
    pub rates: Result<RateBounds, ConfigError>,
}

/// How often one client may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateBounds {
    writes: Option<Rate>,
    reads: Option<Rate>,
    /// Who is believed about a client's address.
    pub proxies: TrustedProxies,
}

impl RateBounds {
    /// None where there is no bound.
    pub const fn of(&self, class: Class) -> Option<Rate> {
        match class {
            Class::Writes => self.writes,
            Class::Reads => self.reads,
        }
    }
}

impl Edge {
    /// Reads the variables.
    pub fn read(variables: &dyn Variables) -> Self {
        match variables.get_joined(&EDGE) {
            Ok(text) => Self::parse(&text),
            Err(error) => Self { origins: Err(error.clone()), rates: Err(error) },
        }
    }

    fn parse(text: &str) -> Self {
        let mut parts = text.splitn(EDGE.parts.len(), SEPARATOR);
        let mut next = || parts.next().unwrap_or_default();
        let origins = Origins::parse(next()).ok_or_else(|| invalid(Variable::AllowedOrigins));
        let numbers = [next(), next(), next(), next()];
        Self { origins, rates: rates(numbers, next()) }
    }
}

fn rates(numbers: [&str; 4], proxies: &str) -> Result<RateBounds, ConfigError> {
    let [writes_per_minute, writes_burst, reads_per_minute, reads_burst] = numbers;
    let writes = [(Variable::WritesPerMinute, writes_per_minute), (Variable::WritesBurst, writes_burst)];
    let reads = [(Variable::ReadsPerMinute, reads_per_minute), (Variable::ReadsBurst, reads_burst)];
    let (writes, reads) = (rate(writes)?, rate(reads)?);
    if (writes, reads) == (None, None) {
        return Ok(RateBounds::default());
    }
    let proxies = TrustedProxies::parse(proxies).ok_or_else(|| invalid(Variable::TrustedProxies))?;
    Ok(RateBounds { writes, reads, proxies })
}

fn rate(row: [(Variable, &str); 2]) -> Result<Option<Rate>, ConfigError> {
    let [per_minute, burst] =
        row.map(|(variable, text)| variable.row().takes.number(text).ok_or_else(|| invalid(variable)));
    Ok(Rate::new(per_minute?, burst?))
}

#[cfg(test)]
mod tests {
    use super::super::tests::defaults;
    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Edge {
        let mut variables = defaults();
        variables.0.extend(pairs.iter().copied());
        Edge::read(&variables)
    }

    #[test]
    fn nothing_is_bounded_unless_the_operator_says_so() {
        let edge = read(&[]);
        assert_eq!((edge.origins, edge.rates), (Ok(Origins::None), Ok(RateBounds::default())));
    }

    #[test]
    fn each_part_is_read_from_its_place() {
        let edge = read(&[
            ("allowed_origins", "https://shop.example,https://other.example"),
            ("writes_per_minute", "60"),
            ("writes_burst", "5"),
            ("reads_burst", "7"),
            ("trusted_proxies", "10.0.0.0/8, 192.0.2.1"),
        ]);
        assert!(edge.origins.unwrap().allows("https://other.example"));
        let rates = edge.rates.unwrap();
        assert_eq!((rates.of(Class::Writes), rates.of(Class::Reads)), (Rate::new(60, 5), None));
        assert_eq!(Some(rates.proxies), TrustedProxies::parse("10.0.0.0/8,192.0.2.1"));
    }

    #[test]
    fn what_makes_no_sense_is_named_and_leaves_the_rest() {
        for (name, value) in [
            ("writes_per_minute", "-1"),
            ("writes_burst", "0"),
            ("reads_burst", "x"),
            ("trusted_proxies", "a;b"),
        ] {
            let edge = read(&[("reads_per_minute", "1"), ("allowed_origins", "*"), (name, value)]);
            assert_eq!(edge.origins, Ok(Origins::Any), "{name}");
            let error = edge.rates.unwrap_err().to_string();
            assert!(error.starts_with(&format!("the variable {name} must be ")), "{error}");
        }
        let edge = read(&[("allowed_origins", "everybody")]);
        assert!(edge.origins.is_err() && edge.rates.is_ok());
    }
}

//! `fermyon:spin/variables`: what a component is told of the application's configuration.
//!
//! A component sees its own table alone, resolved once at start; whatever else the application declares is undefined to it.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime::component::{HasData, Linker};

use super::{bindings::fermyon::spin2_0_0::variables as wit, refusals::Refusals};
use crate::secret::Secret;

/// The values of one component, by name.
pub type ComponentVariables = Arc<BTreeMap<String, Secret>>;

/// A view for one call.
#[derive(Debug)]
pub struct VariablesView<'a> {
    /// Of the component.
    pub values: &'a ComponentVariables,
    /// Where it is noted that a guest asked for others.
    pub refusals: &'a Refusals,
}

/// Marks the view for linkers.
#[derive(Debug)]
pub struct HasVariables;

impl HasData for HasVariables {
    type Data<'a> = VariablesView<'a>;
}

/// Gives the interface to components.
///
/// # Errors
/// The linker has it already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> VariablesView<'_>,
) -> wasmtime::Result<()> {
    wit::add_to_linker::<T, HasVariables>(linker, view)
}

/// An error for the guest; nothing here traps.
#[derive(Debug)]
pub struct VariablesError(wit::Error);

impl wit::Host for VariablesView<'_> {
    fn get(&mut self, name: String) -> Result<String, VariablesError> {
        let usable = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !usable {
            return Err(VariablesError(wit::Error::InvalidName("use lower snake case".into())));
        }
        match self.values.get(&name) {
            Some(value) => Ok(value.expose().to_owned()),
            None => {
                self.refusals.note("variables", &name);
                Err(VariablesError(wit::Error::Undefined(name)))
            }
        }
    }

    fn convert_error(&mut self, error: VariablesError) -> wasmtime::Result<wit::Error> {
        Ok(error.0)
    }
}

#[cfg(test)]
mod tests {
    use super::wit::Host as _;
    use super::*;

    #[test]
    fn a_component_sees_its_own_variables_alone() {
        let values: ComponentVariables = Arc::new([("limit".to_owned(), Secret::new("7"))].into());
        let mut view = VariablesView { values: &values, refusals: &Refusals::default() };
        assert_eq!(view.get("limit".into()).unwrap(), "7");
        assert!(
            matches!(view.get("other".into()), Err(VariablesError(wit::Error::Undefined(name))) if name == "other")
        );
        for name in ["", "Limit", "a-b", "{{ limit }}", "\u{0}"] {
            assert!(
                matches!(view.get(name.into()), Err(VariablesError(wit::Error::InvalidName(_)))),
                "{name}"
            );
        }
    }
}

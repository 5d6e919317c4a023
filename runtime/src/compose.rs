//! From the manifest's `.wasm` files to one component each: dependencies are plugged into the imports that they are declared for.
//!
//! What the runtime provides itself (`thumbs:blob-store`) is left as an import, unless it is told to compose all. A dependency that imports
//! something gets the grants of the component, as on Spin with `dependencies_inherit_configuration = true`; without it, a dependency that
//! imports anything is refused, where Spin would plug in an adapter that denies everything.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use thiserror::Error;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, types::Package};

use crate::manifest::Component;

/// Packages that the runtime provides, with the `/` that ends their name.
const NATIVE: &[&str] = &["thumbs:blob-store/"];

/// Why a component can't be put together. The author's to mend.
#[derive(Debug, Error)]
pub enum ComposeError {
    /// A `.wasm` can't be read.
    #[error("component `{component}`: {} can't be read: {cause}; were the components built? (`make components`)", path.display())]
    Unreadable {
        /// Which component.
        component: String,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// A `.wasm` is no component.
    #[error("component `{component}`: {} is not a WebAssembly component: {cause}", path.display())]
    NotAComponent {
        /// Which component.
        component: String,
        /// The file.
        path: PathBuf,
        /// The parser's reason.
        cause: String,
    },
    /// A dependency does not fit.
    #[error("component `{component}`, dependency `{dependency}`: {reason}")]
    Dependency {
        /// Which component.
        component: String,
        /// Which dependency.
        dependency: String,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// The composition as a whole does not come out.
    #[error("component `{component}` can't be composed: {cause}")]
    Composition {
        /// Which component.
        component: String,
        /// The composer's reason.
        cause: String,
    },
}

/// Which dependencies are composed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Composition {
    /// All but those that the runtime provides itself.
    WithoutNative,
    /// All.
    All,
}

/// Whether an interface, or a package, is one that the runtime provides.
#[must_use]
pub fn is_native(name: &str) -> bool {
    NATIVE.iter().any(|native| name.starts_with(native))
}

/// Whether a component declares a dependency that the runtime provides.
#[must_use]
pub fn declares_native(component: &Component) -> bool {
    component.dependencies.keys().any(|name| is_native(name))
}

/// The bytes of a component with its dependencies in it. Blocks.
///
/// # Errors
/// A file is missing or of the wrong kind, or a dependency does not fit its import.
pub fn compose(component: &Component, composition: Composition) -> Result<Vec<u8>, ComposeError> {
    let plugged: BTreeMap<&String, &PathBuf> = component
        .dependencies
        .iter()
        .filter(|(name, _)| composition == Composition::All || !is_native(name))
        .collect();
    let source = read(component, &component.source)?;
    if plugged.is_empty() {
        return Ok(source);
    }
    Plugging::new(component, source)?.run(&plugged)
}

fn read(component: &Component, path: &Path) -> Result<Vec<u8>, ComposeError> {
    std::fs::read(path).map_err(|cause| ComposeError::Unreadable {
        component: component.id.clone(),
        path: path.to_owned(),
        cause,
    })
}

struct Plugging<'a> {
    component: &'a Component,
    graph: CompositionGraph,
    socket: NodeId,
    imports: Vec<String>,
    exports: Vec<String>,
}

impl<'a> Plugging<'a> {
    fn new(component: &'a Component, source: Vec<u8>) -> Result<Self, ComposeError> {
        let mut graph = CompositionGraph::new();
        let (package, imports, exports) =
            register(&mut graph, component, "socket", &component.source, source)?;
        let socket = graph.instantiate(package);
        Ok(Self { component, graph, socket, imports, exports })
    }

    fn run(mut self, plugged: &BTreeMap<&String, &PathBuf>) -> Result<Vec<u8>, ComposeError> {
        // One file may serve several imports; it is instantiated once for them all.
        let mut instances: BTreeMap<&PathBuf, (NodeId, Vec<String>)> = BTreeMap::new();
        for (name, path) in plugged {
            if !instances.contains_key(path) {
                let made = self.instantiate(name, path, instances.len())?;
                instances.insert(path, made);
            }
            if let Some((instance, exports)) = instances.get(path) {
                self.plug(name, *instance, exports)?;
            }
        }
        for export in std::mem::take(&mut self.exports) {
            let node = self.graph.alias_instance_export(self.socket, &export).map_err(|e| self.failed(e))?;
            self.graph.export(node, &export).map_err(|e| self.failed(e))?;
        }
        // wasmtime validates what it compiles.
        let options = EncodeOptions { validate: false, ..EncodeOptions::default() };
        self.graph.encode(options).map_err(|e| self.failed(e))
    }

    fn instantiate(
        &mut self,
        name: &str,
        path: &Path,
        number: usize,
    ) -> Result<(NodeId, Vec<String>), ComposeError> {
        let bytes = read(self.component, path)?;
        let (package, imports, exports) =
            register(&mut self.graph, self.component, &format!("plug{number}"), path, bytes)?;
        if !self.component.dependencies_inherit_configuration && !imports.is_empty() {
            return Err(self.unfit(
                name,
                format!("it imports {}; set `dependencies_inherit_configuration = true`", imports.join(", ")),
            ));
        }
        Ok((self.graph.instantiate(package), exports))
    }

    /// Satisfies all imports that the name of a dependency covers: one interface, or all of a package.
    fn plug(&mut self, name: &str, instance: NodeId, exports: &[String]) -> Result<(), ComposeError> {
        let covered =
            |interface: &str| interface == name || (!name.contains('/') && package_of(interface) == name);
        let wanted: Vec<String> = self.imports.iter().filter(|import| covered(import)).cloned().collect();
        if wanted.is_empty() {
            let imports = self.imports.join(", ");
            return Err(self
                .unfit(name, format!("the component does not import it; remove it (it imports {imports})")));
        }
        for import in wanted {
            if !exports.contains(&import) {
                let exports = exports.join(", ");
                return Err(self.unfit(name, format!("its file does not export it (it exports {exports})")));
            }
            let export = self.graph.alias_instance_export(instance, &import).map_err(|e| self.failed(e))?;
            self.graph.set_instantiation_argument(self.socket, &import, export).map_err(|cause| {
                self.unfit(name, format!("its export does not fit the import: {cause:#}"))
            })?;
        }
        Ok(())
    }

    fn unfit(&self, dependency: &str, reason: String) -> ComposeError {
        ComposeError::Dependency {
            component: self.component.id.clone(),
            dependency: dependency.to_owned(),
            reason,
        }
    }

    fn failed(&self, cause: impl std::fmt::Display) -> ComposeError {
        ComposeError::Composition { component: self.component.id.clone(), cause: cause.to_string() }
    }
}

/// `a:b/c@1.0.0` is of the package `a:b@1.0.0`.
fn package_of(interface: &str) -> String {
    let (path, version) =
        interface.split_once('@').map_or((interface, None), |(path, version)| (path, Some(version)));
    let package = path.split('/').next().unwrap_or(path);
    version.map_or_else(|| package.to_owned(), |version| format!("{package}@{version}"))
}

type Registered = (wac_graph::PackageId, Vec<String>, Vec<String>);

fn register(
    graph: &mut CompositionGraph,
    component: &Component,
    name: &str,
    path: &Path,
    bytes: Vec<u8>,
) -> Result<Registered, ComposeError> {
    let wrong = |cause: String| ComposeError::NotAComponent {
        component: component.id.clone(),
        path: path.to_owned(),
        cause,
    };
    let package = Package::from_bytes(&format!("thumbs:{name}"), None, bytes, graph.types_mut())
        .map_err(|cause| wrong(format!("{cause:#}")))?;
    let world = package.ty();
    let id = graph.register_package(package).map_err(|cause| wrong(cause.to_string()))?;
    let world = &graph.types()[world];
    let names = |items: &mut dyn Iterator<Item = &String>| items.cloned().collect::<Vec<_>>();
    Ok((id, names(&mut world.imports.keys()), names(&mut world.exports.keys())))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const ADDER: &str = r#"(component
        (core module $m (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
        (core instance $i (instantiate $m))
        (func $add (param "n" u32) (result u32) (canon lift (core func $i "add")))
        (instance $math (export "add" (func $add)))
        (export "test:math/add@1.0.0" (instance $math)))"#;
    const USER: &str = r#"(component
        (import "test:math/add@1.0.0" (instance $math (export "add" (func (param "n" u32) (result u32)))))
        (export "run" (func $math "add")))"#;
    const NEEDY: &str = r#"(component
        (import "test:other/thing" (instance))
        (instance $math)
        (export "test:math/add@1.0.0" (instance $math)))"#;

    struct Files(TempDir);

    impl Files {
        fn new() -> Self {
            let files = Self(TempDir::new().unwrap());
            for (name, text) in [("adder", ADDER), ("user", USER), ("needy", NEEDY)] {
                std::fs::write(files.path(name), wat::parse_str(text).unwrap()).unwrap();
            }
            std::fs::write(files.path("text"), "hello").unwrap();
            files
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn component(&self, source: &str, dependencies: &[(&str, &str)]) -> Component {
            let dependencies: String = dependencies
                .iter()
                .map(|(name, file)| format!("{name:?} = {{ path = {:?} }}\n", self.path(file)))
                .collect();
            let text = format!(
                "spin_manifest_version = 2\n[application]\nname = \"x\"\n[component.x]\nsource = {:?}\n[component.x.dependencies]\n{dependencies}",
                self.path(source)
            );
            crate::manifest::Manifest::parse(Path::new("spin.toml"), &text)
                .unwrap()
                .components
                .remove("x")
                .unwrap()
        }
    }

    fn refused(component: &Component) -> String {
        compose(component, Composition::WithoutNative).unwrap_err().to_string()
    }

    #[test]
    fn a_dependency_is_plugged_into_its_import() {
        let files = Files::new();
        for name in ["test:math/add@1.0.0", "test:math@1.0.0"] {
            let bytes =
                compose(&files.component("user", &[(name, "adder")]), Composition::WithoutNative).unwrap();
            let engine = wasmtime::Engine::default();
            let composed = wasmtime::component::Component::new(&engine, bytes).unwrap();
            assert_eq!(composed.component_type().imports(&engine).count(), 0, "{name}");
            assert_eq!(composed.component_type().exports(&engine).count(), 1, "{name}");
        }
    }

    #[test]
    fn errors_name_the_component_and_the_dependency() {
        let files = Files::new();
        for (source, dependency, expected) in [
            ("user", ("test:math/sub@1.0.0", "adder"), "does not import it"),
            ("user", ("test:math/add@1.0.0", "user"), "inherit_configuration"),
            ("user", ("test:math/add@1.0.0", "needy"), "inherit_configuration"),
            ("user", ("test:math/add@1.0.0", "text"), "is not a WebAssembly component"),
            ("user", ("test:math/add@1.0.0", "missing"), "can't be read"),
            ("text", ("test:math/add@1.0.0", "adder"), "is not a WebAssembly component"),
        ] {
            let error = refused(&files.component(source, &[dependency]));
            assert!(error.contains("component `x`") && error.contains(expected), "{error}");
        }
        let mut inheriting = files.component("user", &[("test:math/add@1.0.0", "needy")]);
        inheriting.dependencies_inherit_configuration = true;
        let error = refused(&inheriting);
        assert!(error.contains("`test:math/add@1.0.0`") && error.contains("does not fit"), "{error}");
    }

    #[test]
    fn what_the_runtime_provides_is_composed_only_when_told() {
        let files = Files::new();
        let component = files.component("user", &[("thumbs:blob-store/store@1.0.0", "adder")]);
        compose(&component, Composition::WithoutNative).unwrap();
        assert!(
            compose(&component, Composition::All).unwrap_err().to_string().contains("does not import it")
        );
    }
}

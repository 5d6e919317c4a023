//! `wasi:http/types`: WASI's own, but that the host counts what it keeps of a guest's texts: headers, methods, authorities and paths.
//!
//! Each is bounded in length by wasmtime-wasi-http, or by what one call may hand over; and a guest may have a thousand of them. So what a guest puts
//! there is memory of its instance, for as long as that lives, also where it takes it away again.

use std::sync::Arc;

use wasmtime::{
    StoreContextMut,
    component::{Linker, LinkerInstance, Resource},
};
use wasmtime_wasi_http::{
    FieldMap, WasiHttpCtxView,
    p2::{
        HeaderResult,
        bindings::http::types::{
            HeaderError, Host as _, HostFields, HostOutgoingRequest, Method, OutgoingRequest,
        },
    },
};

use crate::memory::{OutOfMemory, Share};

/// As wasmtime-wasi-http has it in the linker.
const INTERFACE: &str = "wasi:http/types@0.2.12";
/// What an entry takes besides its name and its value.
const ENTRY_BYTES: usize = 128;

/// A view for one call.
#[expect(missing_debug_implementations, reason = "WASI's contexts have none")]
pub struct CountedView<'a> {
    /// WASI's own.
    pub http: WasiHttpCtxView<'a>,
    /// Of the instance.
    pub memory: &'a Arc<Share>,
}

impl CountedView<'_> {
    fn take(&self, texts: impl IntoIterator<Item = usize>) -> Result<(), OutOfMemory> {
        self.memory.take(texts.into_iter().fold(ENTRY_BYTES, usize::saturating_add))
    }

    fn told<V>(&mut self, result: HeaderResult<V>) -> wasmtime::Result<Result<V, HeaderError>> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(error) => self.http.convert_header_error(error).map(Err),
        }
    }
}

/// Takes the place of those functions that keep a text.
///
/// # Errors
/// The linker has them in another form.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> CountedView<'_>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let added = linker.instance(INTERFACE).and_then(|mut types| {
        fields(&mut types, view)?;
        requests(&mut types, view)
    });
    linker.allow_shadowing(false);
    added
}

fn fields<T: Send + 'static>(
    types: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> CountedView<'_>,
) -> wasmtime::Result<()> {
    type Fields = Resource<FieldMap>;
    types.func_wrap(
        "[static]fields.from-list",
        move |mut store: StoreContextMut<'_, T>, (entries,): (Vec<(String, Vec<u8>)>,)| {
            let mut view = view(store.data_mut());
            for (name, value) in &entries {
                view.take([name.len(), value.len()])?;
            }
            let made = HostFields::from_list(&mut view.http, entries);
            Ok((view.told(made)?,))
        },
    )?;
    types.func_wrap(
        "[method]fields.append",
        move |mut store: StoreContextMut<'_, T>, (fields, name, value): (Fields, String, Vec<u8>)| {
            let mut view = view(store.data_mut());
            view.take([name.len(), value.len()])?;
            let appended = HostFields::append(&mut view.http, fields, name, value);
            Ok((view.told(appended)?,))
        },
    )?;
    types.func_wrap(
        "[method]fields.set",
        move |mut store: StoreContextMut<'_, T>, (fields, name, values): (Fields, String, Vec<Vec<u8>>)| {
            let mut view = view(store.data_mut());
            view.take([name.len()])?;
            for value in &values {
                view.take([value.len()])?;
            }
            let set = HostFields::set(&mut view.http, fields, name, values);
            Ok((view.told(set)?,))
        },
    )?;
    // Until one of the two is changed they are one in memory; after that, they are not.
    types.func_wrap("[method]fields.clone", move |mut store: StoreContextMut<'_, T>, (fields,): (Fields,)| {
        let mut view = view(store.data_mut());
        let entries = view.http.table.get(&fields)?.iter();
        let bytes = entries.map(|(name, value)| ENTRY_BYTES + name.as_str().len() + value.len()).sum();
        view.take([bytes])?;
        Ok((HostFields::clone(&mut view.http, fields)?,))
    })
}

fn requests<T: Send + 'static>(
    types: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> CountedView<'_>,
) -> wasmtime::Result<()> {
    type Request = Resource<OutgoingRequest>;
    types.func_wrap(
        "[method]outgoing-request.set-method",
        move |mut store: StoreContextMut<'_, T>, (request, method): (Request, Method)| {
            let mut view = view(store.data_mut());
            if let Method::Other(name) = &method {
                view.take([name.len()])?;
            }
            Ok((HostOutgoingRequest::set_method(&mut view.http, request, method)?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-path-with-query",
        move |mut store: StoreContextMut<'_, T>, (request, path): (Request, Option<String>)| {
            let mut view = view(store.data_mut());
            view.take(path.as_ref().map(String::len))?;
            Ok((HostOutgoingRequest::set_path_with_query(&mut view.http, request, path)?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-authority",
        move |mut store: StoreContextMut<'_, T>, (request, authority): (Request, Option<String>)| {
            let mut view = view(store.data_mut());
            view.take(authority.as_ref().map(String::len))?;
            Ok((HostOutgoingRequest::set_authority(&mut view.http, request, authority)?,))
        },
    )
}

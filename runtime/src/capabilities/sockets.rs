//! `wasi:sockets`: no component has any, and who asks for one is told so before it is made, and named in the log.
//!
//! WASI's own would refuse as well, and say nothing. Only the three doors are here: what makes a TCP socket, what makes a UDP socket, and what looks
//! a name up. Without these nothing else of `wasi:sockets` can be called, which stays WASI's.

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::{
    DynPollable, SocketError, SocketResult, TcpSocket, UdpSocket,
    bindings::sockets::{
        ip_name_lookup::{self, HostResolveAddressStream, ResolveAddressStream},
        network::{self, ErrorCode, HostNetwork, IpAddress, IpAddressFamily, Network},
        tcp_create_socket, udp_create_socket,
    },
    subscribe,
};

use super::refusals::Refusals;

/// As the log calls it.
const INTERFACE: &str = "sockets";

/// A view for one call.
#[derive(Debug)]
pub struct SocketsView<'a> {
    /// Where the instance's handles are.
    pub table: &'a mut ResourceTable,
    /// Where its requests are noted.
    pub refusals: &'a Refusals,
}

/// Marks the view for linkers.
#[derive(Debug)]
pub struct HasSockets;

impl HasData for HasSockets {
    type Data<'a> = SocketsView<'a>;
}

/// Gives the interfaces to components, in the place of WASI's own.
///
/// # Errors
/// The linker has them in another form.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> SocketsView<'_>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let added = tcp_create_socket::add_to_linker::<T, HasSockets>(linker, view)
        .and_then(|()| udp_create_socket::add_to_linker::<T, HasSockets>(linker, view))
        .and_then(|()| ip_name_lookup::add_to_linker::<T, HasSockets>(linker, view));
    linker.allow_shadowing(false);
    added
}

impl SocketsView<'_> {
    fn refuse<T>(&self, wanted: &str) -> SocketResult<T> {
        self.refusals.note(INTERFACE, wanted);
        Err(ErrorCode::AccessDenied.into())
    }
}

impl tcp_create_socket::Host for SocketsView<'_> {
    fn create_tcp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        self.refuse("a TCP socket")
    }
}

impl udp_create_socket::Host for SocketsView<'_> {
    async fn create_udp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        self.refuse("a UDP socket")
    }
}

impl ip_name_lookup::Host for SocketsView<'_> {
    fn resolve_addresses(
        &mut self,
        _: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        self.refuse(&format!("the address of {name}"))
    }
}

/// Of a stream that nobody was ever given.
impl HostResolveAddressStream for SocketsView<'_> {
    fn resolve_next_address(&mut self, _: Resource<ResolveAddressStream>) -> SocketResult<Option<IpAddress>> {
        Err(ErrorCode::AccessDenied.into())
    }

    fn subscribe(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

impl HostNetwork for SocketsView<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        self.table.delete(network)?;
        Ok(())
    }
}

impl network::Host for SocketsView<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, _: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(None)
    }
}

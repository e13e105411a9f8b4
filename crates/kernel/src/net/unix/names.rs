//! Names of local sockets: paths, abstract names, automatic ones.
//!
//! Mirrors: net/unix/af_unix.c (`unix_bind`, `unix_find_other`), Linux 6.18.
//! Differs: one table by key; a path's key is its socket inode.
//! Locking: `UnixSock::binding` while a socket gets its name, over making the file; the table's lock is a leaf.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use acrida_kcore::host::HostFd;
use acrida_kcore::sync::SpinLock;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::AT_FDCWD;
use acrida_uapi::socket::AF_UNIX;
use acrida_uapi::stat::{S_IFMT, S_IFSOCK};

use super::UnixSock;
use super::garbage::Collector;
use crate::fs::file::WeakFile;
use crate::fs::hostfs::handle::HostHandle;
use crate::fs::hostfs::inode::HostInode;
use crate::fs::inode::{MAY_WRITE, Path};
use crate::fs::namei::create::{NameFor, NewName, mknod, new_name};
use crate::fs::namei::{Lookup, lookup};
use crate::kernel::time::TimerQueue;
use crate::{current, host, kernel};

/// Bytes of `sun_path`.
const PATH_MAX: usize = 108;
const FAMILY: usize = 2;

/// What identifies a bound socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Device and inode number.
    Inode(u32, u64),
    /// The kind is part of an abstract name.
    Abstract(u32, Vec<u8>),
}

/// Bound sockets of a world, and those in flight.
pub struct UnixTable {
    pub(super) collector: Arc<Collector>,
    bound: SpinLock<BTreeMap<Key, Weak<UnixSock>>>,
    next_auto: SpinLock<u32>,
    /// Path sockets of the host, and directories of such, that may be connected to.
    host: Vec<Vec<u8>>,
}

impl UnixTable {
    pub fn new(timers: &Arc<TimerQueue>, host: Vec<Vec<u8>>) -> UnixTable {
        UnixTable { collector: Collector::new(timers), bound: SpinLock::default(), next_auto: SpinLock::default(), host }
    }

    /// Whether there may be a socket of the host to connect to.
    pub(super) fn reaches_host(&self) -> bool {
        !self.host.is_empty()
    }

    /// Whether the host's path socket at `path` may be connected to.
    fn is_shared_by_host(&self, path: &[u8]) -> bool {
        let below = |dir: &Vec<u8>| path.strip_prefix(&dir[..]).is_some_and(|rest| rest.is_empty() || rest[0] == b'/');
        self.host.iter().any(below)
    }

    fn find(&self, key: &Key) -> Option<Arc<UnixSock>> {
        self.bound.lock().get(key).and_then(Weak::upgrade)
    }

    /// Takes the name unless a socket has it. An inode was made just now: whoever had its number lost it.
    fn bind(&self, key: &Key, sock: &Arc<UnixSock>) -> bool {
        let mut bound = self.bound.lock();
        let taken = matches!(key, Key::Abstract(..)) && bound.get(key).is_some_and(|other| other.strong_count() > 0);
        if taken {
            return false;
        }
        bound.insert(key.clone(), Arc::downgrade(sock));
        true
    }

    pub fn unbind(&self, key: &Key, sock: &Arc<UnixSock>) {
        let mut bound = self.bound.lock();
        if bound.get(key).is_some_and(|other| core::ptr::eq(other.as_ptr(), Arc::as_ptr(sock))) {
            bound.remove(key);
        }
    }
}

/// What an address to connect or send to names.
pub(super) enum Found {
    Ours(Arc<UnixSock>),
    /// A path socket of the host, as an `O_PATH` descriptor.
    Host(HostHandle),
}

/// An address of the guest, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Unnamed,
    /// Without its NUL.
    Path(Vec<u8>),
    /// Without the leading NUL.
    Abstract(Vec<u8>),
}

impl Address {
    /// What an address of a guest means.
    ///
    /// # Errors
    /// `EINVAL` for a wrong family or length.
    #[doc(alias = "unix_validate_addr")]
    pub fn parse(addr: &[u8]) -> Result<Address, Errno> {
        if addr.len() < FAMILY || addr.len() > FAMILY + PATH_MAX || addr[..2] != AF_UNIX.to_ne_bytes() {
            return Err(Errno::EINVAL);
        }
        let name = &addr[FAMILY..];
        Ok(match name.first() {
            None => Address::Unnamed,
            Some(0) => Address::Abstract(name[1..].to_vec()),
            Some(_) => Address::Path(name.iter().copied().take_while(|&b| b != 0).collect()),
        })
    }

    /// As `getsockname` tells it.
    pub fn encode(&self) -> Vec<u8> {
        let family = AF_UNIX.to_ne_bytes();
        match self {
            Address::Unnamed => family.to_vec(),
            Address::Path(path) => [&family[..], path, &[0]].concat(),
            Address::Abstract(name) => [&family[..], &[0], name].concat(),
        }
    }
}

impl UnixSock {
    /// Gives the socket a name.
    #[doc(alias = "unix_bind")]
    pub(super) fn bind(self: &Arc<Self>, addr: &[u8]) -> Result<(), Error> {
        let address = Address::parse(addr)?;
        if address == Address::Unnamed {
            return self.autobind();
        }
        let _binding = self.binding.lock();
        let named = self.lock().name.is_some();
        let table = &kernel().unix;
        let key = match &address {
            Address::Path(path) => match new_name(AT_FDCWD, path, NameFor::Other) {
                Ok(_) if named => return Err(Errno::EINVAL.into()),
                Ok(NewName { dir, name }) => {
                    mknod(&dir, &name, self.mode() & !current().fs().umask(), 0)?;
                    let made = lookup(AT_FDCWD, path, Lookup::empty())?.path;
                    let stat = made.stat()?;
                    self.lock().path = Some(made);
                    Key::Inode(stat.dev, stat.ino)
                }
                Err(Error::Errno(Errno::EEXIST)) => return Err(Errno::EADDRINUSE.into()),
                Err(error) => return Err(error),
            },
            _ if named => return Err(Errno::EINVAL.into()),
            Address::Abstract(name) => Key::Abstract(self.kind.number(), name.clone()),
            Address::Unnamed => unreachable!("handled above"),
        };
        if !table.bind(&key, self) {
            return Err(Errno::EADDRINUSE.into());
        }
        self.named(key, &address);
        Ok(())
    }

    /// Kind and permissions of the socket's own inode, which a path gets too.
    fn mode(&self) -> u32 {
        let file = self.common.file().and_then(WeakFile::upgrade);
        let inode = file.as_ref().and_then(|file| file.ops.pseudo_inode());
        inode.map_or(S_IFSOCK, |inode| inode.stat().mode)
    }

    fn named(&self, key: Key, address: &Address) {
        let mut state = self.lock();
        state.key = Some(key);
        state.name = Some(Arc::new(address.encode()));
    }

    /// A free abstract name of five hexadecimal digits.
    #[doc(alias = "unix_autobind")]
    pub(super) fn autobind(self: &Arc<Self>) -> Result<(), Error> {
        let _binding = self.binding.lock();
        if self.lock().name.is_some() {
            return Ok(());
        }
        let table = &kernel().unix;
        for _ in 0..=0xf_ffffu32 {
            let number = {
                let mut next = table.next_auto.lock();
                *next = (*next + 1) & 0xf_ffff;
                *next
            };
            let address = Address::Abstract(format!("{number:05x}").into_bytes());
            let Address::Abstract(name) = &address else { unreachable!("made above") };
            let key = Key::Abstract(self.kind.number(), name.clone());
            if table.bind(&key, self) {
                self.named(key, &address);
                return Ok(());
            }
        }
        Err(Errno::ENOSPC.into())
    }

    /// Whether an address to connect or send to is one.
    pub(super) fn check_addr(&self, addr: &[u8]) -> Result<(), Error> {
        match Address::parse(addr)? {
            Address::Unnamed => Err(Errno::EINVAL.into()),
            _ => Ok(()),
        }
    }

    /// The bound socket that an address names, of the caller's kind.
    #[doc(alias = "unix_find_other")]
    pub(super) fn find_other(&self, addr: &[u8]) -> Result<Found, Error> {
        let key = match Address::parse(addr)? {
            Address::Unnamed => return Err(Errno::ECONNREFUSED.into()),
            Address::Abstract(name) => Key::Abstract(self.kind.number(), name),
            Address::Path(path) => {
                let found = lookup(AT_FDCWD, &path, Lookup::FOLLOW)?;
                let cred = current().cred();
                found.path.inode().permission(&found.path.dentry, &cred, MAY_WRITE)?;
                let stat = found.path.stat()?;
                if stat.mode & S_IFMT != S_IFSOCK {
                    return Err(Errno::ECONNREFUSED.into());
                }
                let key = Key::Inode(stat.dev, stat.ino);
                match kernel().unix.find(&key) {
                    Some(other) => return self.of_own_kind(other),
                    None => return host_socket_at(&found.path).map(Found::Host),
                }
            }
        };
        self.of_own_kind(kernel().unix.find(&key).ok_or(Errno::ECONNREFUSED)?)
    }

    fn of_own_kind(&self, other: Arc<UnixSock>) -> Result<Found, Error> {
        if other.kind == self.kind { Ok(Found::Ours(other)) } else { Err(Errno::EPROTOTYPE.into()) }
    }
}

/// The host's socket at a place, if this world may use it; else it is as if nobody listened.
fn host_socket_at(path: &Path) -> Result<HostHandle, Error> {
    let table = &kernel().unix;
    let inode = path.inode().downcast_ref::<HostInode>().filter(|_| table.reaches_host()).ok_or(Errno::ECONNREFUSED)?;
    let place = inode.open_place(&path.dentry)?;
    // What the host calls it, whatever way led there.
    let name = host::fs::readlinkat(HostFd::CWD, &host::fs::fd_path(place.fd(), b""))?;
    if table.is_shared_by_host(&name) { Ok(place) } else { Err(Errno::ECONNREFUSED.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_what_linux_keeps() {
        let un = |name: &[u8]| [&AF_UNIX.to_ne_bytes()[..], name].concat();
        assert_eq!(Address::parse(&un(b"/a\0junk")), Ok(Address::Path(b"/a".to_vec())));
        assert_eq!(Address::parse(&un(b"\0a\0b")), Ok(Address::Abstract(b"a\0b".to_vec())));
        assert_eq!(Address::parse(&un(b"")), Ok(Address::Unnamed));
        assert_eq!(Address::parse(&[1]), Err(Errno::EINVAL));
        assert_eq!(Address::parse(&[2, 0, 65]), Err(Errno::EINVAL));
        assert_eq!(Address::parse(&un(&[65; 109])), Err(Errno::EINVAL));
        assert_eq!(Address::Path(b"/a".to_vec()).encode(), un(b"/a\0"));
        assert_eq!(Address::Abstract(b"x".to_vec()).encode(), un(b"\0x"));
    }
}

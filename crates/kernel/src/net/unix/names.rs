//! Names of local sockets: paths, abstract names, automatic ones.
//!
//! Mirrors: net/unix/af_unix.c (`unix_bind`, `unix_find_other`), Linux 6.1.
//! Differs: one table by key; a path's key is its socket inode.
//! Locking: the table's lock is a leaf.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use acrida_kcore::sync::SpinLock;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::AT_FDCWD;
use acrida_uapi::socket::AF_UNIX;
use acrida_uapi::stat::{S_IFMT, S_IFSOCK};

use super::{Inflight, Kind, UnixSock};
use crate::fs::inode::MAY_WRITE;
use crate::fs::namei::create::{NameFor, NewName, mknod, new_name};
use crate::fs::namei::{Lookup, lookup};
use crate::{current, kernel};

/// Bytes of `sun_path`.
const PATH_MAX: usize = 108;
const FAMILY: usize = 2;

/// What identifies a bound socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Device and inode number.
    Inode(u32, u64),
    /// The kind is part of an abstract name.
    Abstract(u8, Vec<u8>),
}

/// Bound sockets of a world, and those in flight.
#[derive(Default)]
pub struct UnixTable {
    pub(super) inflight: Inflight,
    bound: SpinLock<BTreeMap<Key, Weak<UnixSock>>>,
    next_auto: SpinLock<u32>,
}

impl UnixTable {
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

fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Stream => 1,
        Kind::Dgram => 2,
        Kind::Seqpacket => 5,
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
        let named = self.lock().name.is_some();
        let table = &kernel().unix;
        let key = match &address {
            Address::Path(path) => match new_name(AT_FDCWD, path, NameFor::Other) {
                Ok(_) if named => return Err(Errno::EINVAL.into()),
                Ok(NewName { dir, name }) => {
                    let mode = S_IFSOCK | (0o777 & !current().fs().umask());
                    mknod(&dir, &name, mode, 0)?;
                    let made = lookup(AT_FDCWD, path, Lookup::empty())?.path;
                    let stat = made.stat()?;
                    self.lock().path = Some(made);
                    Key::Inode(stat.dev, stat.ino)
                }
                Err(Error::Errno(Errno::EEXIST)) => return Err(Errno::EADDRINUSE.into()),
                Err(error) => return Err(error),
            },
            _ if named => return Err(Errno::EINVAL.into()),
            Address::Abstract(name) => Key::Abstract(kind_number(self.kind), name.clone()),
            Address::Unnamed => unreachable!("handled above"),
        };
        if !table.bind(&key, self) {
            return Err(Errno::EADDRINUSE.into());
        }
        self.named(key, &address);
        Ok(())
    }

    fn named(&self, key: Key, address: &Address) {
        let mut state = self.lock();
        state.key = Some(key);
        state.name = Some(Arc::new(address.encode()));
    }

    /// A free abstract name of five hexadecimal digits.
    #[doc(alias = "unix_autobind")]
    pub(super) fn autobind(self: &Arc<Self>) -> Result<(), Error> {
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
            let key = Key::Abstract(kind_number(self.kind), name.clone());
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
    pub(super) fn find_other(&self, addr: &[u8]) -> Result<Arc<UnixSock>, Error> {
        let key = match Address::parse(addr)? {
            Address::Unnamed => return Err(Errno::ECONNREFUSED.into()),
            Address::Abstract(name) => Key::Abstract(kind_number(self.kind), name),
            Address::Path(path) => {
                let found = lookup(AT_FDCWD, &path, Lookup::FOLLOW)?;
                let cred = current().cred();
                found.path.inode().permission(&found.path.dentry, &cred, MAY_WRITE)?;
                let stat = found.path.stat()?;
                if stat.mode & S_IFMT != S_IFSOCK {
                    return Err(Errno::ECONNREFUSED.into());
                }
                Key::Inode(stat.dev, stat.ino)
            }
        };
        let other = kernel().unix.find(&key).ok_or(Errno::ECONNREFUSED)?;
        if other.kind == self.kind { Ok(other) } else { Err(Errno::EPROTOTYPE.into()) }
    }
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

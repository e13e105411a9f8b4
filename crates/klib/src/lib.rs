//! klib: the structures this kernel is made of.
//!
//! Linux: include/linux/{list,rbtree,kfifo,bitmap,seqlock}.h and their lib/ halves (6.12).
//! Differs: a container owns one `Arc` for every node linked in it, so a linked node cannot be
//! freed under the container, and every public function is safe.
//! Locking: none here. What changes a container takes `&mut`; the caller's lock provides it.
//! Memory order: at the top of each lock-free module (`kfifo`, `seqlock`).
//!
//! | module | Linux | for |
//! |---|---|---|
//! | [`link`] | `container_of` | the adapter that names a link field; read this first |
//! | [`list`] | `list_head` | ready lists, wait queues, run queues |
//! | [`rbtree`] | `rb_root_cached` | epoll items, timers, memory areas |
//! | [`bitmap`] | `find_next_bit` and family | fd tables, pages of tmpfs files |
//! | [`kfifo`] | `kfifo` | byte queues between one reader and one writer |
//! | [`seqlock`] | `seqcount_t`, `seqlock_t` | small values read often and written seldom |
//!
//! # How a node meets its containers
//! In Linux a structure embeds one link per list it may be on, and `container_of` leads back from
//! the link to the structure. So it is here; the [`adapter!`] macro names the field once, and from
//! then on the type system remembers the way back:
//!
//! ```
//! use acrida_klib::{adapter, list::{List, ListLink}};
//! use std::sync::Arc;
//!
//! struct Epitem { fd: i32, rdllink: ListLink }
//! adapter!(ReadyLink = Epitem { rdllink: ListLink });
//!
//! let epi = Arc::new(Epitem { fd: 3, rdllink: ListLink::new() });
//! let mut ready: List<ReadyLink> = List::new();
//! ready.push_back(epi.clone()).unwrap();
//! assert!(epi.rdllink.is_linked());
//! assert!(ready.push_back(epi.clone()).is_err()); // a link is on one list at a time
//! assert_eq!(ready.pop_front().unwrap().fd, 3);
//! ```
#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod bitmap;
pub mod kfifo;
pub mod link;
pub mod list;
mod primitive;
pub mod rbtree;
pub mod seqlock;
#[cfg(test)]
mod testing;

pub use link::{Adapter, AlreadyLinked};

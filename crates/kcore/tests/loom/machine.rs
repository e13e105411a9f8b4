//! loom in the place of the machine: what the kernel's files find under `crate::` and `acrida_kcore::`.

/// kcore/src/primitive.rs.
pub mod primitive {
    pub use loom::sync::atomic::{Ordering, fence};

    /// loom knows SeqCst of fences only and takes that of an access for Acquire and Release. So a write is followed by a
    /// fence, and a read is not, as compilers do it for x86-64: what is stored with SeqCst comes before what the thread reads then.
    fn written<R>(order: Ordering, weaker: Ordering, access: impl FnOnce(Ordering) -> R) -> R {
        if order != Ordering::SeqCst {
            return access(order);
        }
        let result = access(weaker);
        fence(Ordering::SeqCst);
        result
    }

    /// Of a read.
    fn weakened(order: Ordering) -> Ordering {
        if order == Ordering::SeqCst { Ordering::Acquire } else { order }
    }

    macro_rules! atomic {
        ($name:ident $(<$parameter:ident>)?, $value:ty) => {
            #[derive(Debug)]
            pub struct $name $(<$parameter>)? (loom::sync::atomic::$name $(<$parameter>)?);

            impl $(<$parameter>)? $name $(<$parameter>)? {
                pub fn new(value: $value) -> Self {
                    Self(loom::sync::atomic::$name::new(value))
                }

                pub fn load(&self, order: Ordering) -> $value {
                    self.0.load(weakened(order))
                }

                pub fn store(&self, value: $value, order: Ordering) {
                    written(order, Ordering::Release, |order| self.0.store(value, order));
                }

                pub fn swap(&self, value: $value, order: Ordering) -> $value {
                    written(order, Ordering::AcqRel, |order| self.0.swap(value, order))
                }

                pub fn compare_exchange(&self, old: $value, new: $value, order: Ordering, failed: Ordering) -> Result<$value, $value> {
                    written(order, Ordering::AcqRel, |order| self.0.compare_exchange(old, new, order, weakened(failed)))
                }
            }
        };
    }

    macro_rules! counter {
        ($name:ident, $value:ty) => {
            atomic!($name, $value);

            impl $name {
                pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                    written(order, Ordering::AcqRel, |order| self.0.fetch_add(value, order))
                }

                pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                    written(order, Ordering::AcqRel, |order| self.0.fetch_sub(value, order))
                }
            }
        };
    }

    atomic!(AtomicBool, bool);
    atomic!(AtomicPtr<T>, *mut T);
    counter!(AtomicU32, u32);

    impl Default for AtomicU32 {
        fn default() -> Self {
            Self::new(0)
        }
    }

    impl AtomicU32 {
        pub fn fetch_or(&self, value: u32, order: Ordering) -> u32 {
            written(order, Ordering::AcqRel, |order| self.0.fetch_or(value, order))
        }

        pub fn fetch_update(&self, set: Ordering, fetch: Ordering, update: impl FnMut(u32) -> Option<u32>) -> Result<u32, u32> {
            written(set, Ordering::AcqRel, |order| self.0.fetch_update(order, weakened(fetch), update))
        }
    }

    counter!(AtomicUsize, usize);
}

/// kcore/src/sync.rs.
pub mod sync {
    use loom::sync::Mutex;
    pub use loom::sync::MutexGuard as SpinLockGuard;

    #[derive(Debug, Default)]
    pub struct SpinLock<T>(Mutex<T>);

    impl<T> SpinLock<T> {
        pub fn new(data: T) -> Self {
            Self(Mutex::new(data))
        }

        pub fn lock(&self) -> SpinLockGuard<'_, T> {
            self.0.lock().unwrap()
        }

        /// Nobody is killed here.
        pub fn lock_or_repair(&self, _repair: impl FnOnce(&mut T)) -> SpinLockGuard<'_, T> {
            self.lock()
        }
    }
}

/// kcore/src/thread.rs: what sleeping asks of a thread.
pub mod thread {
    use super::primitive::AtomicU32;
    use crate::sched::state;
    use crate::task_work::TaskWork;

    pub mod work {
        pub const TASK_WORK: u32 = 2;
        pub const HOST_SIGNAL: u32 = 4;
    }

    #[derive(Debug)]
    pub struct Thread {
        pub state: AtomicU32,
        pub task_work: TaskWork,
        /// Always none: this machine's locks are loom's.
        pub locks_held: AtomicU32,
        pub(super) host: loom::thread::Thread,
    }

    impl Thread {
        pub fn set_wchan(&self, _name: &'static str) {}

        pub fn wchan(&self) -> &'static str {
            ""
        }

        /// Who puts work off here does it by itself.
        pub fn set_work(&self, _bits: u32) {}

        pub fn count_queued(&self, _change: i32) {}

        /// No signals here.
        pub fn signal_pending(&self) -> bool {
            false
        }

        pub fn has_work(&self, _bits: u32) -> bool {
            false
        }
    }

    loom::thread_local! {
        static CURRENT: &'static Thread =
            Box::leak(Box::new(Thread {
                state: AtomicU32::new(state::RUNNING),
                task_work: TaskWork::default(),
                locks_held: AtomicU32::new(0),
                host: loom::thread::current(),
            }));
    }

    pub fn current() -> &'static Thread {
        CURRENT.with(|thread| *thread)
    }
}

/// kcore/src/wake_q.rs: this machine's wake-ups are not put off.
pub mod wake_q {
    pub struct PutOff;

    pub fn put_off() -> PutOff {
        PutOff
    }
}

/// kcore/src/platform.rs.
pub mod platform {
    use super::thread::Thread;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Parked {
        Woken,
        TimedOut,
    }

    pub struct Machine;

    impl Machine {
        pub fn park(&self, _me: &Thread, deadline: Option<u64>) -> Parked {
            assert!(deadline.is_none(), "loom has no clock");
            loom::thread::park();
            Parked::Woken
        }

        pub fn unpark(&self, thread: &Thread) {
            thread.host.unpark();
        }
    }

    pub fn platform() -> &'static Machine {
        &Machine
    }
}

//! A queue's messages, by priority and age, and who waits for them.
//!
//! Mirrors: ipc/mqueue.c (`mqueue_inode_info`, `msg_insert`, `wq_sleep`, `pipelined_send`), Linux 6.18.
//! Differs: those who wait stand in order of arrival; Linux lets a higher scheduling priority go first.
//! Locking: `Queue::state`, then `MqWaiter::progress`; sleepers are woken and signals sent without them.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::{WaitError, WaitOptions, WaitQueueHead};
use acrida_uapi::epoll::{EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM};
use acrida_uapi::errno::{Errno, Error, Restart};

use super::notify::{Notice, Notification};
use crate::fs::read_write::Blocking;

/// A message.
pub struct MqMessage {
    pub priority: u32,
    pub text: Vec<u8>,
}

/// How far a sleeper's affair is.
enum Progress {
    /// A sender's message is not in the queue yet; a receiver has none.
    Sends(MqMessage),
    Receives,
    /// A sender's message is in the queue.
    Sent,
    Received(MqMessage),
}

/// A sleeper with its message.
#[doc(alias = "ext_wait_queue")]
pub struct MqWaiter {
    progress: SpinLock<Progress>,
    wait: WaitQueueHead,
}

impl MqWaiter {
    fn new(progress: Progress) -> Arc<MqWaiter> {
        Arc::new(MqWaiter { progress: SpinLock::new(progress), wait: WaitQueueHead::new() })
    }

    /// Whether somebody has dealt with it; a receiver's message comes with the answer.
    fn take_result(&self) -> Option<Option<MqMessage>> {
        let mut progress = self.progress.lock();
        match core::mem::replace(&mut *progress, Progress::Sent) {
            Progress::Sent => Some(None),
            Progress::Received(message) => Some(Some(message)),
            waiting => {
                *progress = waiting;
                None
            }
        }
    }
}

/// What is under the queue's lock.
#[derive(Default)]
pub struct MqState {
    /// By priority, the oldest first.
    #[doc(alias = "msg_tree")]
    messages: BTreeMap<u32, VecDeque<Vec<u8>>>,
    count: u64,
    /// Bytes of all messages.
    pub qsize: u64,
    receivers: VecDeque<Arc<MqWaiter>>,
    senders: VecDeque<Arc<MqWaiter>>,
    pub notification: Option<Notification>,
}

impl MqState {
    #[doc(alias = "msg_insert")]
    fn insert(&mut self, message: MqMessage) {
        self.count += 1;
        self.qsize += message.text.len() as u64;
        self.messages.entry(message.priority).or_default().push_back(message.text);
    }

    /// The oldest of the highest priority.
    #[doc(alias = "msg_get")]
    fn take(&mut self) -> Option<MqMessage> {
        let mut entry = self.messages.last_entry()?;
        let priority = *entry.key();
        let text = entry.get_mut().pop_front()?;
        if entry.get().is_empty() {
            entry.remove();
        }
        self.count -= 1;
        self.qsize -= text.len() as u64;
        Some(MqMessage { priority, text })
    }
}

/// A queue.
#[doc(alias = "mqueue_inode_info")]
pub struct Queue {
    pub maxmsg: u64,
    pub msgsize: u64,
    pub state: SpinLock<MqState>,
    /// Where polls wait.
    wait_q: Arc<WaitQueueHead>,
}

impl Queue {
    pub fn new((maxmsg, msgsize): (u64, u64)) -> Queue {
        Queue { maxmsg, msgsize, state: SpinLock::default(), wait_q: Arc::default() }
    }

    pub fn wait_queue(&self) -> &Arc<WaitQueueHead> {
        &self.wait_q
    }

    /// Messages in the queue now.
    pub fn count(&self) -> u64 {
        self.state.lock().count
    }

    /// What a poll sees.
    pub fn events(&self) -> u32 {
        let count = self.count();
        let readable = if count > 0 { EPOLLIN | EPOLLRDNORM } else { 0 };
        let writable = if count < self.maxmsg { EPOLLOUT | EPOLLWRNORM } else { 0 };
        readable | writable
    }

    /// Gives the message to a receiver that waits, queues it, or waits for room.
    #[doc(alias = "do_mq_timedsend")]
    pub fn send(&self, message: MqMessage, blocking: Blocking, deadline: Option<u64>) -> Result<(), Error> {
        let mut state = self.state.lock();
        if state.count == self.maxmsg {
            if blocking == Blocking::No {
                return Err(Errno::EAGAIN.into());
            }
            let waiter = MqWaiter::new(Progress::Sends(message));
            state.senders.push_back(waiter.clone());
            drop(state);
            return self.sleep(&waiter, deadline).map(drop);
        }
        if let Some(receiver) = state.receivers.pop_front() {
            *receiver.progress.lock() = Progress::Received(message);
            drop(state);
            receiver.wait.wake_all(0);
            return Ok(());
        }
        state.insert(message);
        // Only a queue that was empty is worth telling.
        let notice = if state.count == 1 { state.notification.take() } else { None };
        drop(state);
        if let Some(notification) = notice {
            notification.tell(Notice::Message);
        }
        self.wait_q.wake_all(EPOLLIN | EPOLLRDNORM);
        Ok(())
    }

    /// Takes a message, or waits for one.
    #[doc(alias = "do_mq_timedreceive")]
    pub fn receive(&self, blocking: Blocking, deadline: Option<u64>) -> Result<MqMessage, Error> {
        let mut state = self.state.lock();
        let Some(message) = state.take() else {
            if blocking == Blocking::No {
                return Err(Errno::EAGAIN.into());
            }
            let waiter = MqWaiter::new(Progress::Receives);
            state.receivers.push_back(waiter.clone());
            drop(state);
            // A receiver's affair always ends with a message.
            return self.sleep(&waiter, deadline)?.ok_or(Error::Errno(Errno::EAGAIN));
        };
        let sender = self.let_sender_in(&mut state);
        drop(state);
        match sender {
            Some(sender) => {
                sender.wait.wake_all(0);
            }
            None => self.wait_q.wake_all(EPOLLOUT | EPOLLWRNORM),
        }
        Ok(message)
    }

    /// The first sender that waits gets its message into the queue.
    #[doc(alias = "pipelined_receive")]
    fn let_sender_in(&self, state: &mut MqState) -> Option<Arc<MqWaiter>> {
        let sender = state.senders.pop_front()?;
        let progress = core::mem::replace(&mut *sender.progress.lock(), Progress::Sent);
        if let Progress::Sends(message) = progress {
            state.insert(message);
        }
        Some(sender)
    }

    #[doc(alias = "wq_sleep")]
    fn sleep(&self, waiter: &Arc<MqWaiter>, deadline: Option<u64>) -> Result<Option<MqMessage>, Error> {
        let options = WaitOptions::interruptible("wq_sleep").until(deadline);
        waiter.wait.wait_event(options, || waiter.take_result()).or_else(|reason| {
            let mut state = self.state.lock();
            // Somebody may have been faster than the signal or the clock.
            if let Some(result) = waiter.take_result() {
                return Ok(result);
            }
            state.senders.retain(|other| !Arc::ptr_eq(other, waiter));
            state.receivers.retain(|other| !Arc::ptr_eq(other, waiter));
            Err(match reason {
                WaitError::Interrupted => Restart::ERESTARTSYS.into(),
                WaitError::TimedOut => Errno::ETIMEDOUT.into(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(priority: u32, text: &[u8]) -> MqMessage {
        MqMessage { priority, text: text.to_vec() }
    }

    #[test]
    fn priority_then_age() {
        let mut state = MqState::default();
        for (priority, text) in [(1, b"a"), (5, b"b"), (1, b"c"), (5, b"d")] {
            state.insert(message(priority, text));
        }
        assert_eq!((state.count, state.qsize), (4, 4));
        let order: Vec<u8> = core::iter::from_fn(|| state.take()).map(|message| message.text[0]).collect();
        assert_eq!(order, b"bdac");
        assert_eq!((state.count, state.qsize), (0, 0));
    }

    #[test]
    fn a_waiter_is_dealt_with_once() {
        let waiter = MqWaiter::new(Progress::Receives);
        assert!(waiter.take_result().is_none());
        *waiter.progress.lock() = Progress::Received(message(0, b"x"));
        assert!(waiter.take_result().is_some_and(|message| message.is_some()));
    }
}

//! The ring of a pipe against a naive model, and its corner cases one by one.
//!
//! Pages lie in the physical-memory window, which the simulated machine maps.

use acrida_kcore::frame::PAGE_SIZE;
use acrida_kernel::fs::iov_iter::IovIter;
use acrida_kernel::fs::pipe::ring::{Drained, Joint, Ring};
use acrida_kernel::fs::splice::{PageSlice, Pages};
use acrida_uapi::errno::Errno;
use proptest::prelude::*;
use std::collections::VecDeque;

fn ring(slots: u32) -> Ring {
    acrida_platform_sim::install();
    Ring::new(slots)
}

fn write(ring: &mut Ring, bytes: &[u8], joint: Joint) -> usize {
    let mut from = IovIter::kernel_in(bytes);
    let mut done = ring.merge(&mut from).expect("kernel memory is good");
    while from.count() > 0 && !ring.is_full() {
        done += ring.append(&mut from, joint).expect("kernel memory is good");
    }
    done
}

fn read(ring: &mut Ring, len: usize) -> (Vec<u8>, Drained) {
    let mut bytes = vec![0; len];
    let drained = ring.drain(&mut IovIter::kernel_out(&mut bytes));
    bytes.truncate(drained.bytes);
    (bytes, drained)
}

#[test]
fn small_writes_share_a_page() {
    let mut ring = ring(2);
    for byte in 0..PAGE_SIZE {
        assert_eq!(write(&mut ring, &[byte as u8], Joint::Open), 1);
    }
    assert_eq!(ring.occupancy(), 1);
    assert_eq!(write(&mut ring, b"x", Joint::Open), 1);
    assert_eq!(ring.occupancy(), 2);
}

#[test]
fn a_write_that_does_not_fit_the_last_page_starts_another() {
    let mut ring = ring(2);
    write(&mut ring, &[1; PAGE_SIZE - 10], Joint::Open);
    assert_eq!(write(&mut ring, &[2; 11], Joint::Open), 11);
    assert_eq!(ring.occupancy(), 2);
    // Full in slots: what fits a page's rest still goes in, a byte more does not.
    assert!(ring.is_full());
    assert_eq!(write(&mut ring, &[3; PAGE_SIZE - 11], Joint::Open), PAGE_SIZE - 11);
    assert_eq!(write(&mut ring, b"x", Joint::Open), 0);
}

#[test]
fn room_is_made_by_the_last_byte_of_a_page_in_a_full_ring_only() {
    let mut ring = ring(2);
    write(&mut ring, &[1; 2 * PAGE_SIZE], Joint::Open);
    assert!(!read(&mut ring, PAGE_SIZE - 1).1.made_room);
    assert!(read(&mut ring, 1).1.made_room);
    assert!(!read(&mut ring, PAGE_SIZE).1.made_room);
}

#[test]
fn a_read_ends_with_a_packet_and_drops_its_rest() {
    let mut ring = ring(4);
    write(&mut ring, b"one", Joint::Packet);
    write(&mut ring, b"three", Joint::Packet);
    assert_eq!(read(&mut ring, 2).0, b"on");
    assert_eq!(read(&mut ring, 100).0, b"three");
    assert!(ring.is_empty());
}

#[test]
fn a_bad_address_takes_nothing() {
    let mut ring = ring(4);
    write(&mut ring, b"abc", Joint::Open);
    // The wrong kind of kernel buffer copies nothing, as a bad address does.
    let drained = ring.drain(&mut IovIter::kernel_in(b"xxx"));
    assert_eq!(drained, Drained { bytes: 0, faulted: true, made_room: false });
    assert_eq!(ring.append(&mut IovIter::kernel_out(&mut [0; 3]), Joint::Open), Err(Errno::EFAULT));
    assert_eq!(ring.occupancy(), 1);
    assert_eq!(read(&mut ring, 10).0, b"abc");
}

#[test]
fn an_emptied_page_serves_the_next_write() {
    let mut ring = ring(4);
    write(&mut ring, b"a", Joint::Open);
    let place = |ring: &Ring| match ring.first().map(|buffer| &buffer.slice) {
        Some(PageSlice { pages: Pages::Frames(extent), start, .. }) => extent.offset() + *start as u64,
        other => panic!("no page of the ring's own: {other:?}"),
    };
    let first = place(&ring);
    read(&mut ring, 1);
    write(&mut ring, b"b", Joint::Open);
    assert_eq!(place(&ring), first);
}

#[test]
fn a_page_that_somebody_else_holds_is_not_written_again() {
    let mut ring = ring(4);
    write(&mut ring, b"old", Joint::Open);
    let kept = ring.first().expect("just written").clone();
    read(&mut ring, 3);
    write(&mut ring, b"new", Joint::Open);
    let mut seen = [0; 3];
    kept.slice.copy_to(&mut IovIter::kernel_out(&mut seen), 3);
    assert_eq!(&seen, b"old");
}

#[test]
fn a_resize_keeps_order_and_refuses_to_lose() {
    let mut ring = ring(4);
    write(&mut ring, &[1; 2 * PAGE_SIZE], Joint::Open);
    read(&mut ring, PAGE_SIZE);
    write(&mut ring, &[2; 2 * PAGE_SIZE], Joint::Open);
    assert_eq!(ring.resize(2), Err(Errno::EBUSY));
    assert_eq!(ring.resize(8), Ok(()));
    let bytes = read(&mut ring, 3 * PAGE_SIZE).0;
    assert_eq!(bytes, [vec![1; PAGE_SIZE], vec![2; 2 * PAGE_SIZE]].concat());
}

/// What Linux says about a ring, in bytes: one queue entry per slot.
struct Model {
    slots: VecDeque<(Vec<u8>, Joint, usize)>,
    capacity: usize,
}

impl Model {
    fn write(&mut self, bytes: &[u8], joint: Joint) -> usize {
        let odd = bytes.len() % PAGE_SIZE;
        let mut done = 0;
        // A slot remembers how much of its page reads have used up: that room does not come back.
        if let Some((last, Joint::Open, used)) = self.slots.back_mut()
            && odd > 0
            && *used + last.len() + odd <= PAGE_SIZE
        {
            last.extend(&bytes[..odd]);
            done = odd;
        }
        for chunk in bytes[done..].chunks(PAGE_SIZE) {
            if self.slots.len() == self.capacity {
                break;
            }
            self.slots.push_back((chunk.to_vec(), joint, 0));
            done += chunk.len();
        }
        done
    }

    fn read(&mut self, len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while out.len() < len {
            let Some((bytes, joint, used)) = self.slots.front_mut() else { break };
            let take = bytes.len().min(len - out.len());
            out.extend(bytes.drain(..take));
            *used += take;
            let packet = *joint == Joint::Packet;
            if packet || bytes.is_empty() {
                self.slots.pop_front();
            }
            if packet {
                break;
            }
        }
        out
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize, bool),
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![1..20usize, 4000..4200usize, 1..20000usize];
    prop_oneof![(length.clone(), any::<bool>()).prop_map(|(len, packet)| Step::Write(len, packet)), length.prop_map(Step::Read),]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_sequence_moves_the_model_s_bytes(steps in proptest::collection::vec(step(), 1..60)) {
        let mut ring = ring(4);
        let mut model = Model { slots: VecDeque::new(), capacity: 4 };
        let mut next = 0u8;
        for step in steps {
            match step {
                Step::Write(len, packet) => {
                    let joint = if packet { Joint::Packet } else { Joint::Open };
                    let bytes: Vec<u8> = (0..len).map(|n| next.wrapping_add(n as u8)).collect();
                    next = next.wrapping_add(len as u8);
                    prop_assert_eq!(write(&mut ring, &bytes, joint), model.write(&bytes, joint));
                }
                Step::Read(len) => prop_assert_eq!(read(&mut ring, len).0, model.read(len)),
            }
            prop_assert_eq!(ring.occupancy() as usize, model.slots.len());
            prop_assert_eq!(ring.bytes(), model.slots.iter().map(|slot| slot.0.len()).sum::<usize>());
        }
    }
}

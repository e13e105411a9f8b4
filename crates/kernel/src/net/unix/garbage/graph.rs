//! Which sockets in flight can nobody reach?
//!
//! A node is a socket that lies in a message, an edge leads from the socket on whose queue the message is (the *holder*) to
//! the socket in it. What is held only by holders that nobody can reach is garbage, and every piece of garbage lies on a
//! cycle or behind one: whatever else is held by nothing is freed by its reference count. So:
//!
//! 1. Nodes that no node holds are taken off, with their edges, until none is left of that sort (Kahn's algorithm). Without
//!    a *core* there is no cycle, and no garbage before a new edge closes one.
//! 2. A node of the core with a reference that is no edge of the core is reachable, and so is what it holds, and so on.
//! 3. The rest of the core is garbage.
//!
//! Linux since 6.10 looks for strongly connected components instead (Tarjan's algorithm) and frees those without a reference
//! from outside; what a freed component held is found by the next run. This one finds all of it at once.
//!
//! Mirrors: net/unix/garbage.c (`unix_walk_scc`), Linux 6.18.
//! Differs: as said. Each node and each edge is looked at a fixed number of times; no recursion.
//! Locking: none; the caller's.

use alloc::vec;
use alloc::vec::Vec;

/// Index of a node.
pub type Node = u32;

/// Who holds whom; built node by node.
#[derive(Default)]
pub struct Graph {
    /// The nodes held, holder by holder.
    edges: Vec<Node>,
    /// Where each node's edges begin.
    starts: Vec<usize>,
    /// All references to each node: from queues, descriptor tables, running calls.
    references: Vec<usize>,
}

/// What a look at the graph found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Survey {
    pub garbage: Vec<Node>,
    /// A cycle may be left, held from outside: the graph must be looked at again.
    pub live_cycles: bool,
}

impl Graph {
    pub fn with_capacity(nodes: usize) -> Graph {
        Graph { edges: Vec::with_capacity(nodes), starts: Vec::with_capacity(nodes), references: Vec::with_capacity(nodes) }
    }

    /// Adds the next node; its edges follow.
    pub fn node(&mut self, references: usize) {
        self.starts.push(self.edges.len());
        self.references.push(references);
    }

    /// The last node holds `held`.
    pub fn edge(&mut self, held: Node) {
        self.edges.push(held);
    }

    fn held_by(&self, node: Node) -> &[Node] {
        let node = node as usize;
        let end = self.starts.get(node + 1).copied().unwrap_or(self.edges.len());
        &self.edges[self.starts[node]..end]
    }

    pub fn survey(&self) -> Survey {
        let holds = self.core();
        let in_core = |node: Node| holds[node as usize] > 0;
        let core = (0..self.starts.len() as Node).filter(|&node| in_core(node));
        let mut reachable: Vec<bool> = vec![false; self.starts.len()];
        let mut found: Vec<Node> = core.clone().filter(|&node| self.references[node as usize] > holds[node as usize]).collect();
        for &node in &found {
            reachable[node as usize] = true;
        }
        let live_cycles = !found.is_empty();
        while let Some(holder) = found.pop() {
            for &held in self.held_by(holder) {
                if !core::mem::replace(&mut reachable[held as usize], true) {
                    found.push(held);
                }
            }
        }
        Survey { garbage: core.filter(|&node| !reachable[node as usize]).collect(), live_cycles }
    }

    /// For each node, how often nodes of the core hold it; 0: it does not belong to the core.
    fn core(&self) -> Vec<usize> {
        let mut holds = vec![0; self.starts.len()];
        for &held in &self.edges {
            holds[held as usize] += 1;
        }
        let mut free: Vec<Node> = (0..self.starts.len() as Node).filter(|&node| holds[node as usize] == 0).collect();
        while let Some(holder) = free.pop() {
            for &held in self.held_by(holder) {
                holds[held as usize] -= 1;
                if holds[held as usize] == 0 {
                    free.push(held);
                }
            }
        }
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes as (references from outside the graph, what they hold).
    fn survey(nodes: &[(usize, &[Node])]) -> Survey {
        let mut graph = Graph::default();
        for (index, (outside, holds)) in nodes.iter().enumerate() {
            let inside = nodes.iter().flat_map(|(_, held)| held.iter()).filter(|&&held| held as usize == index).count();
            graph.node(outside + inside);
            holds.iter().for_each(|&held| graph.edge(held));
        }
        graph.survey()
    }

    fn garbage(nodes: &[Node]) -> Survey {
        Survey { garbage: nodes.to_vec(), live_cycles: false }
    }

    #[test]
    fn what_counts_free_is_no_garbage() {
        assert_eq!(survey(&[]), garbage(&[]));
        assert_eq!(survey(&[(1, &[1]), (0, &[2]), (0, &[])]), garbage(&[]));
        // Held by nobody in the graph, as when the message is still being sent.
        assert_eq!(survey(&[(1, &[])]), garbage(&[]));
    }

    #[test]
    fn cycles_without_a_way_in_are_garbage() {
        assert_eq!(survey(&[(0, &[0])]), garbage(&[0]));
        assert_eq!(survey(&[(0, &[1]), (0, &[0])]), garbage(&[0, 1]));
        assert_eq!(survey(&[(0, &[1, 1]), (0, &[0])]), garbage(&[0, 1]));
        // And what hangs on them: a second cycle, and a node that its count would free later.
        assert_eq!(survey(&[(0, &[1]), (0, &[0, 2]), (0, &[3]), (0, &[2, 4]), (0, &[])]), garbage(&[0, 1, 2, 3, 4]));
    }

    #[test]
    fn a_way_in_keeps_what_lies_behind_it() {
        let live = |garbage: &[Node]| Survey { garbage: garbage.to_vec(), live_cycles: true };
        assert_eq!(survey(&[(1, &[1]), (0, &[0])]), live(&[]));
        // 0 <-> 1 is reachable and holds 2 <-> 3; 4 <-> 5 holds 2 too, and nobody holds it.
        let nodes: [(usize, &[Node]); 6] = [(1, &[1]), (0, &[0, 2]), (0, &[3]), (0, &[2]), (0, &[5, 2]), (0, &[4])];
        assert_eq!(survey(&nodes), live(&[4, 5]));
        // A free holder that is itself held from outside only by the graph's rim.
        assert_eq!(survey(&[(1, &[1]), (0, &[2]), (0, &[1])]), live(&[]));
    }

    #[test]
    fn it_agrees_with_following_all_ways_from_outside() {
        let mut seed = 7u64;
        let mut random = move |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..20_000 {
            let count = 1 + random(7);
            let nodes: Vec<(usize, Vec<Node>)> =
                (0..count).map(|_| ((random(4) == 0).into(), (0..random(4)).map(|_| random(count) as Node).collect())).collect();
            let view: Vec<(usize, &[Node])> = nodes.iter().map(|(outside, held)| (*outside, &held[..])).collect();
            let holder = |node: Node| nodes.iter().any(|(_, held)| held.contains(&node));
            // A node that nothing holds is on its way to or from a queue: somebody has it.
            let mut ways: Vec<Node> = (0..count as Node).filter(|&node| nodes[node as usize].0 > 0 || !holder(node)).collect();
            let mut reached = ways.clone();
            while let Some(node) = ways.pop() {
                for &held in &nodes[node as usize].1 {
                    if !reached.contains(&held) {
                        reached.push(held);
                        ways.push(held);
                    }
                }
            }
            let lost: Vec<Node> = (0..count as Node).filter(|node| !reached.contains(node)).collect();
            assert_eq!(survey(&view).garbage, lost, "{nodes:?}");
        }
    }
}

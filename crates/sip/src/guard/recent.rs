//! A table of bounded size that forgets what was not touched for longest.
//!
//! Knows: keys and the order of touching. Must never know: what the values mean. Every operation is O(log n).

use std::collections::BTreeMap;

/// At most `capacity` entries; one more pushes the least recently touched out.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    entries: BTreeMap<K, (u64, V)>,
    order: BTreeMap<u64, K>,
    touch_next: u64,
    capacity: usize,
}

impl<K: Ord + Clone, V> Recent<K, V> {
    /// An empty table.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: BTreeMap::new(), order: BTreeMap::new(), touch_next: 0, capacity }
    }

    /// The value for a key, made anew where there is none, and touched.
    pub(crate) fn touch(&mut self, key: &K, fresh: impl FnOnce() -> V) -> &mut V {
        let touch = self.touch_next;
        self.touch_next += 1;
        if let Some((touched, _)) = self.entries.get(key) {
            self.order.remove(touched);
        } else if self.entries.len() >= self.capacity
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        self.order.insert(touch, key.clone());
        let entry = self.entries.entry(key.clone()).or_insert_with(|| (touch, fresh()));
        entry.0 = touch;
        &mut entry.1
    }

    /// The value for a key, not touched.
    pub(crate) fn peek(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, key: &K) {
        if let Some((touched, _)) = self.entries.remove(key) {
            self.order.remove(&touched);
        }
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        debug_assert_eq!(self.entries.len(), self.order.len());
        self.entries.len()
    }
}

#[cfg(test)]
mod tests;

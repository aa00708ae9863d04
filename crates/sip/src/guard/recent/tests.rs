//! The bound, and who is pushed out.

use super::*;

#[test]
fn the_least_recently_touched_goes_first() {
    let mut table = Recent::new(2);
    *table.touch(&'a', || 0) += 1;
    *table.touch(&'b', || 0) += 1;
    *table.touch(&'a', || 0) += 1;
    *table.touch(&'c', || 0) += 1;
    assert_eq!((table.peek(&'a'), table.peek(&'b'), table.peek(&'c')), (Some(&2), None, Some(&1)));
    assert_eq!(table.len(), 2);
    table.remove(&'a');
    table.remove(&'a');
    assert_eq!(table.len(), 1);
}

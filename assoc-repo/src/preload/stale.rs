//! Whether what a struct holds of an association is all of it, and still its own.
//!
//! Keys tell. A target in memory must have the key that its owner refers to now; a list must have a row that refers to its
//! owner, if it has any; and of an association through others the holder remembers by which key of the owner it was
//! loaded. Where the rows between are in memory as well, the targets must be those that these rows lead to.

use std::any::Any;
use std::collections::HashSet;

use assoc_core::execution::{KeyMark, KeyTuple};
use assoc_core::metadata::{Cardinality, Chain, ChainHop, ChainParts, KeySide, ModelDef, ScopeDef};
use assoc_core::{LoadState, Value};

/// Whether an owner has all of an association in memory, by the keys of now.
pub(super) fn is_whole(owner: &dyn Any, chain: &Chain) -> bool {
    chain.association.field_access.state(owner) == LoadState::Loaded
        && !is_stale(owner, chain)
        && !lacks_its_row(owner, chain)
}

// A row that must exist and was not found may have been hidden by a filter, or be written since: it is worth another look, as
// the row of a foreign key is.
fn lacks_its_row(owner: &dyn Any, chain: &Chain) -> bool {
    let association = chain.association;
    if association.options.optional || association.kind.cardinality() != Cardinality::One {
        return false;
    }
    let mut lacks = true;
    association.field_access.visit(owner, &mut |_| lacks = false);
    lacks
}

// A key whose row was not there is worth another look.
fn is_stale(owner: &dyn Any, chain: &Chain) -> bool {
    let field = chain.association.field_access;
    let own = |columns: &[usize]| (chain.association.owner)().key_in(owner, columns);
    let mut target = None;
    match &chain.parts {
        ChainParts::Key(hop) => match hop.foreign_key {
            // One target with another key is a target that was changed; where all have another, the owner was.
            KeySide::Target => {
                let key = own(hop.key.owner_columns);
                let (mut any, mut refers) = (false, false);
                field.visit(owner, &mut |row| {
                    refers = refers || !differs(key.as_ref(), hop.model.key_in(row, hop.key.target_columns).as_ref());
                    any = true;
                });
                any && !refers
            }
            KeySide::Owner => {
                field.visit(owner, &mut |row| target = hop.model.key_in(row, hop.key.target_columns));
                !same(own(hop.key.owner_columns), target)
            }
        },
        ChainParts::ByType { hops, .. } => {
            let Some(first) = hops.first() else { return false };
            let mut tag = None;
            field.visit(owner, &mut |row| {
                for (hop, variant) in hops.iter().filter_map(|hop| Some((hop, hop.variant?))) {
                    if let Some(row) = (variant.row)(row) {
                        (tag, target) = (Some(variant.tag), hop.model.key_in(row, variant.key));
                    }
                }
            });
            // An empty tag names no type.
            let type_column = first.owner_type.map(|named| named.column);
            let named = own(type_column.as_slice()).filter(|named| named.values() != [Value::from("")]);
            let refers_to = own(first.key.owner_columns).filter(|_| named.is_some());
            let other_type = named.zip(tag).is_some_and(|(named, tag)| named.values() != [Value::from(tag)]);
            other_type || !same(refers_to, target)
        }
        ChainParts::Through { through, source } => {
            is_of_another_key(owner, chain) || contradicts_rows_between(owner, chain, through, source)
        }
        ChainParts::JoinTable { .. } => is_of_another_key(owner, chain),
        ChainParts::CustomSql(_) => false,
    }
}

// Whether the key of an owner is another one than that by which its targets were loaded. Of targets that were put in by
// hand, or taken out and put back, the key is not remembered: then one that is none leads to none.
fn is_of_another_key(owner: &dyn Any, chain: &Chain) -> bool {
    let field = chain.association.field_access;
    let Some(columns) = key_columns(chain) else { return false };
    let key = (chain.association.owner)().key_in(owner, &columns);
    match field.loaded_for(owner) {
        Some(loaded_for) => loaded_for != KeyMark::of(key.as_ref()),
        None => key.is_none() && has_rows(owner, chain),
    }
}

/// The owner's columns whose key leads to the targets, for associations whose holder remembers it: those through others.
pub(super) fn key_columns(chain: &Chain) -> Option<Vec<usize>> {
    match chain.parts {
        ChainParts::Through { .. } | ChainParts::JoinTable { .. } => {
            Some(chain.owner_columns()).filter(|own| !own.is_empty())
        }
        ChainParts::Key(_) | ChainParts::ByType { .. } | ChainParts::CustomSql(_) => None,
    }
}

fn has_rows(owner: &dyn Any, chain: &Chain) -> bool {
    let mut found = false;
    chain.association.field_access.visit(owner, &mut |_| found = true);
    found
}

// Whether the rows between are in memory and lead to other targets than those in memory.
fn contradicts_rows_between(owner: &dyn Any, chain: &Chain, through: &Chain, source: &Chain) -> bool {
    if through.association.field_access.state(owner) != LoadState::Loaded {
        return false;
    }
    if is_stale(owner, through) {
        // These are read anew. If the holder knows its key, the targets are of the key of now all the same.
        return chain.association.field_access.loaded_for(owner).is_none() && has_rows(owner, through);
    }
    let hop = match &source.parts {
        ChainParts::Key(hop) => Some(hop),
        ChainParts::ByType { hops, .. } => hops.first().filter(|_| hops.len() == 1),
        ChainParts::Through { .. } | ChainParts::JoinTable { .. } | ChainParts::CustomSql(_) => None,
    };
    let Some(target) = source.targets().first().copied() else { return false };
    let mut led = LedTo { keys: HashSet::new(), targets: Some(Vec::new()) };
    through.association.field_access.visit(owner, &mut |between| led.add(between, source, hop, target));
    let (mut unreached, mut keys, mut targets) = (false, HashSet::new(), Vec::new());
    chain.association.field_access.visit(owner, &mut |row| {
        if let Some(hop) = hop {
            let key = KeyMark::of(target.key_in(row, hop.key.target_columns).as_ref());
            unreached |= !led.keys.contains(&key);
            keys.insert(key);
        }
        targets.push(KeyMark::of(target.key_in(row, target.primary_key).as_ref()));
    });
    if unreached {
        return true;
    }
    let scope = &chain.scope;
    let cuts = chain.is_single() || scope.limit.is_some() || scope.offset.is_some();
    // What a scope that takes the owner says is not known here.
    let selects = !scope.filter.is_always() || !scope.group.is_empty() || scope.unscoped || chain.owner_scoped;
    if selects || (cuts && !scope.order.is_empty()) {
        return false;
    }
    match (led.targets, hop) {
        (Some(expected), _) if !target.primary_key.is_empty() => {
            let mut expected = cut(expected, scope, chain.is_single());
            expected.sort_unstable();
            targets.sort_unstable();
            expected != targets
        }
        // Each row between names a target; one that is not there may be so by a condition of the target's.
        (_, Some(hop)) if hop.foreign_key == KeySide::Owner && takes_every_row(hop) && !source.owner_scoped => {
            let mut missing = led.keys.iter().filter(|key| **key != KeyMark::of(None) && !keys.contains(*key));
            // One of several is enough where there is to be one.
            missing.next().is_some() && (!cuts || (keys.is_empty() && scope.limit.is_none() && scope.offset.is_none()))
        }
        _ => false,
    }
}

// What an association takes of the targets that its rows between lead to.
fn cut(mut targets: Vec<KeyMark>, scope: &ScopeDef, single: bool) -> Vec<KeyMark> {
    let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    if scope.distinct {
        let mut seen = HashSet::new();
        targets.retain(|target| seen.insert(*target));
    }
    let most = scope.limit.map_or(usize::MAX, size).min(if single { 1 } else { usize::MAX });
    targets.into_iter().skip(scope.offset.map_or(0, size)).take(most).collect()
}

fn takes_every_row(hop: &ChainHop) -> bool {
    hop.scope.filter.is_always() && hop.scope.limit.is_none() && hop.scope.offset.is_none_or(|offset| offset == 0)
}

/// What rows between lead to.
struct LedTo {
    // The keys by which they do.
    keys: HashSet<KeyMark>,
    // The targets, if all rows between have them in memory.
    targets: Option<Vec<KeyMark>>,
}

impl LedTo {
    fn add(&mut self, between: &dyn Any, source: &Chain, hop: Option<&ChainHop>, target: &ModelDef) {
        if let Some(hop) = hop {
            let named = hop.owner_type.is_none_or(|named| {
                let tag = hop.owner.key_in(between, &[named.column]);
                tag.is_some_and(|tag| tag.values() == [Value::from(named.tag)])
            });
            let key = hop.owner.key_in(between, hop.key.owner_columns).filter(|_| named);
            self.keys.insert(KeyMark::of(key.as_ref()));
        }
        match &mut self.targets {
            Some(targets) if source.as_key().is_some() && is_whole(between, source) => {
                let field = source.association.field_access;
                field.visit(between, &mut |row| {
                    targets.push(KeyMark::of(target.key_in(row, target.primary_key).as_ref()));
                });
            }
            targets => *targets = None,
        }
    }
}

// Text may match by rules of the database's own. What differs in case or blanks only counts as the same; at worst
// another difference costs a look-up that was not needed.
fn same(one: Option<KeyTuple>, other: Option<KeyTuple>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other || KeyMark::of(Some(&one)) == KeyMark::of(Some(&other)),
        (one, other) => one.is_none() && other.is_none(),
    }
}

// Whether two keys are not the same for any database. Those of different types may be.
fn differs(one: Option<&KeyTuple>, other: Option<&KeyTuple>) -> bool {
    let kinds = |key: &KeyTuple| key.values().iter().map(std::mem::discriminant).collect::<Vec<_>>();
    match (one, other) {
        (Some(one), Some(other)) => kinds(one) == kinds(other) && KeyMark::of(Some(one)) != KeyMark::of(Some(other)),
        (one, other) => one.is_some() || other.is_some(),
    }
}

//! 100 models with five associations each, which lead from every model to every other in many ways: two `belongs_to`, two
//! `has_many`, one `has_many` through the first of them. They build without a `recursion_limit`.

use std::collections::HashSet;

use assoc_repo::core;
use assoc_repo::prelude::*;

/// A model that can hold rows of its associations, some levels deep.
trait Nested {
    fn nested(levels: u32) -> Self;
}

macro_rules! graph {
    ($($model:ident: $one:ident $other:ident $many:ident $more:ident $behind:ident,)*) => {$(
        #[derive(Model, Debug, Clone, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        struct $model {
            id: i64,
            name: String,
            one_id: i64,
            other_id: Option<i64>,
            #[belongs_to]
            one: BelongsTo<$one>,
            #[belongs_to]
            other: BelongsTo<Option<$other>>,
            #[has_many(foreign_key = "one_id")]
            many: HasMany<$many>,
            #[has_many(foreign_key = "other_id")]
            more: HasMany<$more>,
            #[has_many(through = "many", source = "more")]
            behind: HasManyThrough<$behind>,
        }

        impl Nested for $model {
            fn nested(levels: u32) -> Self {
                let mut row = $model {
                    id: 1,
                    name: stringify!($model).to_owned(),
                    one_id: 1,
                    other_id: None,
                    one: BelongsTo::default(),
                    other: BelongsTo::default(),
                    many: HasMany::default(),
                    more: HasMany::default(),
                    behind: HasManyThrough::default(),
                };
                if let Some(levels) = levels.checked_sub(1) {
                    row.one = BelongsTo::from(Some($one::nested(levels)));
                    row.other = BelongsTo::from(Some($other::nested(levels)));
                    row.many = HasMany::from(vec![$many::nested(levels)]);
                    row.more = HasMany::from(vec![$more::nested(levels)]);
                    row.behind = HasManyThrough::from(vec![$behind::nested(levels)]);
                }
                row
            }
        }
    )*};
}

graph! {
    M0: M17 M72 M97 M8 M78, M1: M32 M15 M63 M97 M84, M2: M57 M60 M83 M48 M17, M3: M26 M12 M62 M3 M50,
    M4: M49 M55 M77 M97 M20, M5: M98 M0 M89 M57 M98, M6: M34 M92 M29 M75 M21, M7: M13 M40 M3 M2 M3,
    M8: M3 M83 M69 M1 M27, M9: M48 M87 M27 M54 M5, M10: M92 M3 M67 M28 M53, M11: M97 M56 M63 M70 M84,
    M12: M29 M44 M29 M86 M21, M13: M28 M97 M58 M37 M20, M14: M2 M53 M71 M82 M4, M15: M12 M23 M80 M92 M70,
    M16: M37 M15 M95 M42 M68, M17: M92 M91 M64 M54 M94, M18: M64 M85 M24 M38 M84, M19: M36 M75 M63 M64 M84,
    M20: M50 M75 M4 M61 M97, M21: M31 M95 M51 M53 M37, M22: M85 M22 M46 M70 M96, M23: M89 M99 M86 M94 M43,
    M24: M47 M11 M56 M84 M55, M25: M65 M13 M99 M20 M30, M26: M66 M50 M47 M62 M34, M27: M93 M3 M60 M5 M80,
    M28: M39 M90 M78 M75 M17, M29: M74 M50 M82 M21 M8, M30: M21 M64 M29 M1 M21, M31: M98 M25 M69 M70 M27,
    M32: M29 M51 M65 M44 M6, M33: M73 M45 M58 M34 M20, M34: M84 M70 M77 M93 M20, M35: M0 M49 M94 M65 M34,
    M36: M16 M66 M99 M71 M30, M37: M26 M54 M7 M61 M2, M38: M46 M72 M70 M25 M99, M39: M64 M52 M62 M45 M50,
    M40: M53 M44 M0 M68 M8, M41: M69 M79 M78 M42 M17, M42: M58 M76 M3 M29 M3, M43: M81 M22 M70 M74 M99,
    M44: M23 M11 M70 M32 M99, M45: M4 M86 M9 M10 M54, M46: M2 M57 M1 M96 M97, M47: M96 M35 M31 M34 M70,
    M48: M14 M79 M23 M44 M94, M49: M37 M8 M21 M20 M53, M50: M32 M67 M21 M84 M53, M51: M34 M82 M91 M37 M16,
    M52: M58 M89 M41 M63 M42, M53: M60 M14 M3 M39 M3, M54: M49 M43 M53 M24 M39, M55: M33 M13 M32 M93 M44,
    M56: M65 M26 M77 M55 M20, M57: M2 M28 M2 M50 M48, M58: M18 M4 M92 M20 M75, M59: M57 M90 M64 M86 M94,
    M60: M54 M69 M28 M80 M75, M61: M88 M66 M57 M28 M50, M62: M67 M83 M3 M50 M3, M63: M86 M73 M41 M84 M42,
    M64: M80 M54 M7 M94 M2, M65: M38 M16 M27 M6 M5, M66: M39 M9 M9 M39 M54, M67: M38 M95 M20 M53 M61,
    M68: M72 M32 M16 M1 M42, M69: M71 M4 M75 M27 M64, M70: M72 M58 M21 M99 M53, M71: M90 M79 M65 M4 M6,
    M72: M48 M25 M44 M12 M32, M73: M26 M73 M86 M55 M43, M74: M75 M24 M63 M13 M84, M75: M85 M49 M37 M64 M61,
    M76: M63 M2 M41 M78 M42, M77: M51 M36 M2 M20 M48, M78: M25 M41 M72 M17 M12, M79: M43 M54 M27 M34 M5,
    M80: M86 M12 M48 M70 M44, M81: M44 M87 M68 M62 M1, M82: M98 M68 M30 M8 M1, M83: M92 M5 M10 M17 M28,
    M84: M21 M21 M68 M27 M1, M85: M34 M97 M42 M76 M29, M86: M64 M32 M47 M43 M34, M87: M43 M14 M37 M30 M61,
    M88: M77 M99 M91 M62 M16, M89: M17 M74 M70 M98 M99, M90: M13 M41 M5 M52 M57, M91: M9 M48 M18 M16 M38,
    M92: M43 M14 M78 M75 M17, M93: M48 M9 M73 M70 M55, M94: M28 M72 M10 M34 M28, M95: M46 M37 M72 M68 M12,
    M96: M14 M58 M35 M13 M65, M97: M5 M37 M1 M78 M97, M98: M85 M1 M11 M52 M70, M99: M14 M5 M24 M30 M84,
}

#[test]
fn definitions_lead_to_each_other() {
    let mut reached = HashSet::new();
    let mut waiting = vec![<M0 as core::Model>::DEF];
    while let Some(model) = waiting.pop() {
        if reached.insert(model.name) {
            waiting.extend(model.associations.iter().map(|association| (association.target)()));
        }
    }
    assert!(reached.len() > 90, "{} of 100", reached.len());
}

#[test]
fn rows_are_copied_compared_shown_and_dropped() {
    let row = M0::nested(4);
    let mut copy = row.clone();
    assert_eq!(copy, row);
    assert_eq!(format!("{copy:?}").matches("M0 {").count(), format!("{row:?}").matches("M0 {").count());
    copy.more = HasMany::from(vec![]);
    assert_ne!(copy, row);
    #[cfg(feature = "serde")]
    assert!(serde_json::to_string(&row).is_ok_and(|json| json.contains("\"name\":\"M0\"")));
}

//! 200 models in a row, more than the compiler follows from one to the next: each has a `has_many` and a `has_one` of the
//! next and a `belongs_to` of the one before. They build without a `recursion_limit`, with all traits that are derived
//! on models, or holders let the compiler look through them again.

use std::panic::{RefUnwindSafe, UnwindSafe};

use assoc_repo::core;
use assoc_repo::prelude::*;

/// A model that can hold the whole rest of the chain.
trait Nested {
    fn nested(name: &str) -> Self;
}

macro_rules! chain {
    ($($previous:ident $model:ident $next:ident,)*) => {$(
        #[derive(Model, Debug, Clone, PartialEq)]
        struct $model {
            id: i64,
            previous_id: i64,
            #[belongs_to]
            previous: BelongsTo<Option<$previous>>,
            #[has_many(foreign_key = "previous_id")]
            following: HasMany<$next>,
            #[has_one(foreign_key = "previous_id")]
            first: HasOne<Option<$next>>,
        }

        impl Nested for $model {
            fn nested(name: &str) -> Self {
                $model {
                    id: 1,
                    previous_id: 1,
                    previous: BelongsTo::from(None),
                    following: HasMany::from(vec![$next::nested(name)]),
                    first: HasOne::default(),
                }
            }
        }
    )*};
}

#[derive(Model, Debug, Clone, PartialEq)]
struct M0 {
    id: i64,
    #[has_many(foreign_key = "previous_id")]
    following: HasMany<M1>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct M199 {
    id: i64,
    name: String,
    previous_id: i64,
    #[belongs_to]
    previous: BelongsTo<M198>,
}

impl Nested for M199 {
    fn nested(name: &str) -> Self {
        M199 { id: 1, name: name.to_owned(), previous_id: 1, previous: BelongsTo::default() }
    }
}

chain! {
    M0 M1 M2, M1 M2 M3, M2 M3 M4, M3 M4 M5, M4 M5 M6, M5 M6 M7, M6 M7 M8, M7 M8 M9, M8 M9 M10, M9 M10 M11,
    M10 M11 M12, M11 M12 M13, M12 M13 M14, M13 M14 M15, M14 M15 M16, M15 M16 M17, M16 M17 M18, M17 M18 M19,
    M18 M19 M20, M19 M20 M21, M20 M21 M22, M21 M22 M23, M22 M23 M24, M23 M24 M25, M24 M25 M26, M25 M26 M27,
    M26 M27 M28, M27 M28 M29, M28 M29 M30, M29 M30 M31, M30 M31 M32, M31 M32 M33, M32 M33 M34, M33 M34 M35,
    M34 M35 M36, M35 M36 M37, M36 M37 M38, M37 M38 M39, M38 M39 M40, M39 M40 M41, M40 M41 M42, M41 M42 M43,
    M42 M43 M44, M43 M44 M45, M44 M45 M46, M45 M46 M47, M46 M47 M48, M47 M48 M49, M48 M49 M50, M49 M50 M51,
    M50 M51 M52, M51 M52 M53, M52 M53 M54, M53 M54 M55, M54 M55 M56, M55 M56 M57, M56 M57 M58, M57 M58 M59,
    M58 M59 M60, M59 M60 M61, M60 M61 M62, M61 M62 M63, M62 M63 M64, M63 M64 M65, M64 M65 M66, M65 M66 M67,
    M66 M67 M68, M67 M68 M69, M68 M69 M70, M69 M70 M71, M70 M71 M72, M71 M72 M73, M72 M73 M74, M73 M74 M75,
    M74 M75 M76, M75 M76 M77, M76 M77 M78, M77 M78 M79, M78 M79 M80, M79 M80 M81, M80 M81 M82, M81 M82 M83,
    M82 M83 M84, M83 M84 M85, M84 M85 M86, M85 M86 M87, M86 M87 M88, M87 M88 M89, M88 M89 M90, M89 M90 M91,
    M90 M91 M92, M91 M92 M93, M92 M93 M94, M93 M94 M95, M94 M95 M96, M95 M96 M97, M96 M97 M98, M97 M98 M99,
    M98 M99 M100, M99 M100 M101, M100 M101 M102, M101 M102 M103, M102 M103 M104, M103 M104 M105, M104 M105 M106,
    M105 M106 M107, M106 M107 M108, M107 M108 M109, M108 M109 M110, M109 M110 M111, M110 M111 M112, M111 M112 M113,
    M112 M113 M114, M113 M114 M115, M114 M115 M116, M115 M116 M117, M116 M117 M118, M117 M118 M119, M118 M119 M120,
    M119 M120 M121, M120 M121 M122, M121 M122 M123, M122 M123 M124, M123 M124 M125, M124 M125 M126, M125 M126 M127,
    M126 M127 M128, M127 M128 M129, M128 M129 M130, M129 M130 M131, M130 M131 M132, M131 M132 M133, M132 M133 M134,
    M133 M134 M135, M134 M135 M136, M135 M136 M137, M136 M137 M138, M137 M138 M139, M138 M139 M140, M139 M140 M141,
    M140 M141 M142, M141 M142 M143, M142 M143 M144, M143 M144 M145, M144 M145 M146, M145 M146 M147, M146 M147 M148,
    M147 M148 M149, M148 M149 M150, M149 M150 M151, M150 M151 M152, M151 M152 M153, M152 M153 M154, M153 M154 M155,
    M154 M155 M156, M155 M156 M157, M156 M157 M158, M157 M158 M159, M158 M159 M160, M159 M160 M161, M160 M161 M162,
    M161 M162 M163, M162 M163 M164, M163 M164 M165, M164 M165 M166, M165 M166 M167, M166 M167 M168, M167 M168 M169,
    M168 M169 M170, M169 M170 M171, M170 M171 M172, M171 M172 M173, M172 M173 M174, M173 M174 M175, M174 M175 M176,
    M175 M176 M177, M176 M177 M178, M177 M178 M179, M178 M179 M180, M179 M180 M181, M180 M181 M182, M181 M182 M183,
    M182 M183 M184, M183 M184 M185, M184 M185 M186, M185 M186 M187, M186 M187 M188, M187 M188 M189, M188 M189 M190,
    M189 M190 M191, M190 M191 M192, M191 M192 M193, M192 M193 M194, M193 M194 M195, M194 M195 M196, M195 M196 M197,
    M196 M197 M198, M197 M198 M199,
}

fn is_plain<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>(_: &T) {}

#[test]
fn definitions_lead_to_each_other() {
    let mut reached = 1;
    let mut model = <M0 as core::Model>::DEF;
    while let Some(next) = model.associations.iter().find(|association| association.name == "following") {
        model = (next.target)();
        reached += 1;
    }
    assert_eq!((reached, model.name), (200, "M199"));
}

#[test]
fn rows_are_copied_compared_shown_and_dropped() {
    let row = M0 { id: 1, following: HasMany::from(vec![M1::nested("last")]) };
    is_plain(&row);
    let copy = row.clone();
    assert_eq!(copy, row);
    assert_ne!(M0 { id: 1, following: HasMany::from(vec![M1::nested("another")]) }, row);
    let shown = format!("{copy:?}");
    assert_eq!((shown.matches("Loaded([M").count(), shown.contains("M199 { id: 1, name: \"last\"")), (199, true));
}

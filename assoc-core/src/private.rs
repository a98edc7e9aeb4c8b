//! What the derives' output refers to. Not for anyone else: it changes without notice.

pub use crate::column_type::{ColumnType, IntoColumn, SqlType};
pub use crate::error::{AssociationNotLoaded, DecodeError, Error, ErrorKind, NotLoadedReason, RestrictRule, Result};
pub use crate::holder::{
    AggregateAccess, Aggregated, BelongsTo, FieldAccessor, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne,
    TargetRow, ToOne, WithJoinRows,
};
pub use crate::key::Key;
pub use crate::metadata::aggregate_field::AggregateFieldDef;
pub use crate::metadata::association::kinds::*;
pub use crate::metadata::association::{
    AssociationDef, AssociationKind, CounterCache, CustomSql, Dependent, HasVariant, Inverse, Options, Polymorphic,
    RawSql, Touch, UnknownType, VariantDef,
};
pub use crate::metadata::callbacks::{CallbackPoint, HasCallbacks, MemberCallbacks, ModelCallbacks};
pub use crate::metadata::model::{ColumnDef, ColumnDefault, Discriminator, FilledBy, Model, ModelDef, TableRef};
pub use crate::metadata::origin::{HasRowOrigin, RowOrigin};
pub use crate::metadata::request::ScopeDef;
pub use crate::metadata::rows::{Rows, RowsOf};
pub use crate::metadata::rules::RuleSet;
pub use crate::row_traits::{MissingTraits, RowTraits, TraitsOf};
#[cfg(feature = "serde")]
pub use crate::serial;
pub use crate::typed::aggregate_field::AggregateField;
pub use crate::typed::association::{Association, ForeignKeyFor};
pub use crate::typed::column::{Column, MaybeNull};
pub use crate::typed::conditions::OfType;
pub use crate::typed::inverse_key::{KeyOfInverse, RefersTo};
pub use crate::typed::rules::{Rules, rule_set};
pub use crate::typed::scope::Scope;
pub use crate::typed::source::{Missing, PickSource, PickTypedSource};
pub use crate::typed::through::{PartOfThrough, Through, writes_links};
pub use crate::typed::variant::Variant;
pub use crate::value::Value;
#[cfg(feature = "serde")]
pub use serde;
pub use std::any::Any;
pub use std::boxed::Box;
pub use std::clone::Clone;
pub use std::convert::From;
pub use std::default::Default;
pub use std::option::Option;
pub use std::result::Result as StdResult;
pub use std::sync::{Arc, OnceLock};
pub use std::vec::Vec;

/// Says which column a value was for that does not fit.
#[inline]
pub fn column_of<V>(value: StdResult<V, DecodeError>, model: &'static str, column: &'static str) -> Result<V> {
    match value {
        Ok(value) => Ok(value),
        Err(mismatch) => Err(mismatch.at(model, column)),
    }
}

/// A key of one column, of the first of some values.
///
/// # Errors
/// When it does not fit.
pub fn single_key<V: ColumnType>(values: &[Value<'static>]) -> StdResult<V, DecodeError> {
    crate::key::single_key(values)
}

/// A text as it was read.
#[must_use]
pub fn text_of<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The error of a row of the wrong width.
#[cold]
#[must_use]
pub fn row_width(model: &'static str, expected: usize, found: usize) -> Error {
    ErrorKind::RowWidth { model, expected, found }.into()
}

/// Requires, at compile time, that a foreign key column fits the column it refers to.
pub const fn check_foreign_key<O, T, F: ForeignKeyFor<K>, K>(_foreign_key: Column<O, F>, _key: Column<T, K>) {}

/// Requires, at compile time, that a single foreign key column fits the target's primary key.
pub const fn check_reference<O, T: Model, F: ForeignKeyFor<T::Key>>(_foreign_key: Column<O, F>) {}

/// Requires, at compile time, that two foreign key columns fit the target's primary key.
pub const fn check_reference_2<O, T: Model, F, G>(_: Column<O, F>, _: Column<O, G>)
where
    (F, G): CompositeForeignKeyFor<T::Key>,
{
}

/// Requires, at compile time, that three foreign key columns fit the target's primary key.
pub const fn check_reference_3<O, T: Model, F, G, H>(_: Column<O, F>, _: Column<O, G>, _: Column<O, H>)
where
    (F, G, H): CompositeForeignKeyFor<T::Key>,
{
}

/// Requires, at compile time, that four foreign key columns fit the target's primary key.
pub const fn check_reference_4<O, T: Model, F, G, H, I>(
    _: Column<O, F>,
    _: Column<O, G>,
    _: Column<O, H>,
    _: Column<O, I>,
) where
    (F, G, H, I): CompositeForeignKeyFor<T::Key>,
{
}

/// Foreign key columns of these types can refer to a composite key of type `K`, column by column.
#[diagnostic::on_unimplemented(
    message = "foreign key columns of types `{Self}` cannot refer to a primary key of type `{K}`",
    label = "as many columns as the key has, each of its type or an `Option` of it"
)]
pub trait CompositeForeignKeyFor<K> {}

impl<F: ForeignKeyFor<K>, G: ForeignKeyFor<L>, K, L> CompositeForeignKeyFor<(K, L)> for (F, G) {}

impl<F: ForeignKeyFor<K>, G: ForeignKeyFor<L>, H: ForeignKeyFor<M>, K, L, M> CompositeForeignKeyFor<(K, L, M)>
    for (F, G, H)
{
}

impl<F, G, H, I, K, L, M, N> CompositeForeignKeyFor<(K, L, M, N)> for (F, G, H, I)
where
    F: ForeignKeyFor<K>,
    G: ForeignKeyFor<L>,
    H: ForeignKeyFor<M>,
    I: ForeignKeyFor<N>,
{
}

/// The precision of a column, whose type must be a decimal.
pub const fn decimal_precision<V: ColumnType>(precision: u8) -> u8 {
    assert!(matches!(V::SQL_TYPE, SqlType::Decimal), "`precision` and `scale` are for columns of decimals");
    precision
}

/// The default of a primary key column: the database counts integers up.
#[must_use]
pub const fn key_default<V: ColumnType>() -> ColumnDefault {
    if V::SQL_TYPE.is_integer() { ColumnDefault::AutoIncrement } else { ColumnDefault::None }
}

const fn timestamp<V: ColumnType>(filled: FilledBy) -> ColumnDefault {
    assert!(
        matches!(V::SQL_TYPE, SqlType::DateTime | SqlType::Date),
        "`created_at` and `updated_at` are for columns of a date and time, or a date"
    );
    ColumnDefault::Filled(filled)
}

/// A column with the time of the insert.
#[must_use]
pub const fn created_at<V: ColumnType>() -> ColumnDefault {
    timestamp::<V>(FilledBy::CreatedAt)
}

/// A column with the time of the last write.
#[must_use]
pub const fn updated_at<V: ColumnType>() -> ColumnDefault {
    timestamp::<V>(FilledBy::UpdatedAt)
}

/// A column with the version of its row.
#[must_use]
pub const fn lock_version<V: ColumnType>() -> ColumnDefault {
    assert!(
        V::SQL_TYPE.is_integer() && !V::NULLABLE,
        "`lock_version` is for a column of an integer that cannot be NULL"
    );
    ColumnDefault::Filled(FilledBy::LockVersion)
}

/// A column that counts the rows that belong to its row.
#[must_use]
pub const fn counter_cache<V: ColumnType>() -> ColumnDefault {
    assert!(V::SQL_TYPE.is_integer(), "`counter_cache` is for a column of an integer");
    ColumnDefault::Filled(FilledBy::CounterCache)
}

/// Requires, at compile time, that a column of a model counts.
pub const fn check_counter<M: Model>(column: usize) {
    assert!(
        matches!(M::COLUMNS[column].default, ColumnDefault::Filled(FilledBy::CounterCache)),
        "`counter_cache` counts in a column that says so: write `#[column(counter_cache)]` above the target's field"
    );
}

/// Requires, at compile time, that a model has an `updated_at` that a touch can set.
pub const fn check_touch<M: Model>() {
    assert!(
        has_updated_at(M::COLUMNS),
        "`touch` sets the target's `#[column(updated_at)]`, and it has none: name a column with `touch = \"…\"`"
    );
}

const fn has_updated_at(columns: &[ColumnDef]) -> bool {
    let mut at = 0;
    while at < columns.len() {
        if matches!(columns[at].default, ColumnDefault::Filled(FilledBy::UpdatedAt)) {
            return true;
        }
        at += 1;
    }
    false
}

/// Requires, at compile time, that a column of a model can take a time.
pub const fn check_touched<M: Model>(column: usize) {
    assert!(is_time(&M::COLUMNS[column]), "`touch` is for columns of a date and time, or a date");
}

const fn is_time(column: &ColumnDef) -> bool {
    matches!(column.sql_type, SqlType::DateTime | SqlType::Date)
}

/// The column of each model of a polymorphic enum that counts, by the name of its field.
#[must_use]
pub const fn variant_counters<E: Polymorphic, const N: usize>(field: &str) -> [usize; N] {
    let mut found = [0; N];
    let mut variant = 0;
    while variant < N {
        let columns = E::VARIANTS[variant].columns;
        let column = column_named(columns, field);
        assert!(
            column.is_some(),
            "`counter_cache` counts in a column of every variant's model, and one has no such field"
        );
        let Some(column) = column else { break };
        assert!(
            matches!(columns[column].default, ColumnDefault::Filled(FilledBy::CounterCache)),
            "`counter_cache` counts in a column that says so: write `#[column(counter_cache)]` above the field of every \
             variant's model"
        );
        found[variant] = column;
        variant += 1;
    }
    found
}

/// The columns of each model of a polymorphic enum that are touched, by the names of their fields.
#[must_use]
pub const fn variant_touched<E: Polymorphic, const N: usize, const W: usize>(fields: [&str; W]) -> [[usize; W]; N] {
    let mut found = [[0; W]; N];
    let mut variant = 0;
    while variant < N {
        let columns = E::VARIANTS[variant].columns;
        assert!(
            W > 0 || has_updated_at(columns),
            "`touch` sets the `#[column(updated_at)]` of every variant's model, and one has none: name a column with \
             `touch = \"…\"`"
        );
        let mut at = 0;
        while at < W {
            let column = column_named(columns, fields[at]);
            assert!(column.is_some(), "`touch` names a column of every variant's model, and one has no such field");
            let Some(column) = column else { break };
            assert!(is_time(&columns[column]), "`touch` is for columns of a date and time, or a date");
            found[variant][at] = column;
            at += 1;
        }
        variant += 1;
    }
    found
}

/// The touched columns of each model, as a constant has them.
#[must_use]
pub const fn touched_of<const N: usize, const W: usize>(columns: &'static [[usize; W]; N]) -> [&'static [usize]; N] {
    let mut all: [&'static [usize]; N] = [&[]; N];
    let mut at = 0;
    while at < N {
        all[at] = &columns[at];
        at += 1;
    }
    all
}

const fn column_named(columns: &[ColumnDef], field: &str) -> Option<usize> {
    let mut at = 0;
    while at < columns.len() {
        if same(columns[at].field, field) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// What a function of the application gives for a column.
pub fn made<V: ColumnType, F: IntoColumn<V>>(value: F) -> Value<'static> {
    value.into_column().into_value()
}

/// Requires, at compile time, that a model with callbacks says so.
pub const fn require_callbacks<M: Model>() {
    assert!(
        M::DEF.callbacks.is_some(),
        "the callbacks of this model never run, because the model does not say that it has any: add `#[model(callbacks)]` to \
         the struct"
    );
}

/// A column that can hold the name of a type.
#[diagnostic::on_unimplemented(
    message = "a type is stored as text, which a column of type `{Self}` cannot hold",
    label = "this column must be a `String` or an `Option<String>`"
)]
pub trait TypeColumn {}

impl TypeColumn for String {}
impl TypeColumn for Option<String> {}

/// Requires, at compile time, that a column can hold the name of a type.
pub const fn check_type_column<O, V: TypeColumn>(_column: Column<O, V>) {}

/// The keys of all models of a polymorphic enum can be stored in foreign key columns of types `F`, a tuple. Derived.
#[diagnostic::on_unimplemented(
    message = "foreign key columns of types `{F}` cannot refer to the models of `{Self}`",
    label = "as many columns as the models' keys have, each of its type or an `Option` of it"
)]
pub trait PolymorphicKey<F>: Polymorphic {
    /// The keys that are not their models' primary keys, of which the bounds say nothing.
    const NAMED: &'static [NamedKey] = &[];
}

/// Columns of a model, other than its primary key, that a polymorphic association refers to.
pub struct NamedKey {
    /// What they store.
    pub columns: &'static [SqlType],
    /// What to say of a foreign key that does not fit.
    pub misfit: &'static str,
}

/// What a column stores, of its constant.
#[must_use]
pub const fn stored_in<M, V: ColumnType>(_: Column<M, V>) -> SqlType {
    V::SQL_TYPE
}

impl<F: ForeignKeyFor<K>, K> CompositeForeignKeyFor<K> for (F,) {}

/// Requires, at compile time, that foreign key columns fit the keys of all models of a polymorphic enum: the primary keys
/// by their types, those that are named by what they store.
///
/// # Panics
/// When they do not.
pub const fn check_polymorphic_key<E: PolymorphicKey<F>, F>(foreign_key: &[SqlType]) {
    let mut at = 0;
    while at < E::NAMED.len() {
        let NamedKey { columns, misfit } = &E::NAMED[at];
        let mut fits = columns.len() == foreign_key.len();
        let mut column = 0;
        while fits && column < columns.len() {
            fits = columns[column].is(foreign_key[column]);
            column += 1;
        }
        assert!(fits, "{}", *misfit);
        at += 1;
    }
}

/// The constant that a target has under the name in `as`: nothing, a column, or a polymorphic association to `O`.
#[diagnostic::on_unimplemented(
    message = "`as` does not name an association that leads back to `{O}`",
    label = "no polymorphic `belongs_to` of the target has this name and leads to `{O}`",
    note = "add a variant for `{O}` to the enum of that association; if it leads to others only, say by `tag = \"…\"` how the \
            column of the type names `{O}`"
)]
pub trait OtherSide<O> {
    /// The columns of `O` that it refers to.
    const KEY: Option<&'static [usize]>;
    /// The tag by which it names `O`.
    const TAG: Option<&'static str>;
}

impl<O> OtherSide<O> for Missing {
    const KEY: Option<&'static [usize]> = None;
    const TAG: Option<&'static str> = None;
}

// The target may have a column of this name beside those of the key and the type.
impl<T, V, O> OtherSide<O> for Column<T, V> {
    const KEY: Option<&'static [usize]> = None;
    const TAG: Option<&'static str> = None;
}

// What is missing is an association that leads back, and not a variant.
#[diagnostic::do_not_recommend]
impl<T, E: HasVariant<O>, O, H> OtherSide<O> for Association<T, E, H> {
    const KEY: Option<&'static [usize]> = Some(E::KEY);
    const TAG: Option<&'static str> = Some(E::TAG);
}

/// Checks at compile time that an `as` uses the columns and the tag by which the other side refers to the model: the columns
/// where it names some, the tag where it gives none and takes the model's name.
///
/// # Panics
/// When it does not.
pub const fn check_other_side<O, A: OtherSide<O>>(_other_side: fn() -> A, key: Option<&[usize]>, tag: Option<&str>) {
    if let (Some(named), Some(key)) = (A::KEY, key) {
        let mut same = named.len() == key.len();
        let mut at = 0;
        while same && at < key.len() {
            same = named[at] == key[at];
            at += 1;
        }
        assert!(
            same,
            "`primary_key` names other columns than those by which the association that leads back refers to this model: \
             name the same at its variant, `#[polymorphic(primary_key = \"…\")]`, or neither"
        );
    }
    if let (Some(stored), Some(tag)) = (A::TAG, tag) {
        let (stored, tag) = (stored.as_bytes(), tag.as_bytes());
        let mut same = stored.len() == tag.len();
        let mut at = 0;
        while same && at < tag.len() {
            same = stored[at] == tag[at];
            at += 1;
        }
        assert!(
            same,
            "the association that leads back stores this model under another tag than its name: repeat the tag of its \
             variant, `tag = \"…\"`"
        );
    }
}

/// The model of a polymorphic enum's first variant.
#[must_use]
pub fn first_variant(variants: &'static [VariantDef]) -> &'static ModelDef {
    (variants[0].model)()
}

/// An association to `O`, which an inverse of an association of `O` must be.
#[diagnostic::on_unimplemented(
    message = "`inverse_of` does not name an association that leads back to `{O}`",
    label = "no association of the target has this name and leads to `{O}`",
    note = "name the association by its field, or say that there is none with `inverse_of = false`"
)]
pub trait LeadsTo<O> {}

impl<T, O, H> LeadsTo<O> for Association<T, O, H> {}

/// A polymorphic association with `O` among its variants.
#[diagnostic::on_unimplemented(
    message = "`inverse_of` does not name an association that leads back to `{O}`",
    label = "no polymorphic `belongs_to` of the target has this name and leads to `{O}`",
    note = "name the association by its field, or say that there is none with `inverse_of = false`"
)]
pub trait MayLeadTo<O> {}

impl<T, E: HasVariant<O>, O, H> MayLeadTo<O> for Association<T, E, H> {}

/// Requires, at compile time, that a `belongs_to` whose foreign key another association takes leads back, and that its columns
/// fit the key `K` that they refer to.
pub const fn check_key_of_inverse<O, K, I: RefersTo<O>>(_foreign_key: &I)
where
    I::Columns: CompositeForeignKeyFor<K>,
{
}

/// Requires, at compile time, that an association leads back.
pub fn check_inverse<O, A: LeadsTo<O>>(_inverse: A) {}

/// Requires, at compile time, that a polymorphic association leads back.
pub fn check_polymorphic_inverse<O, A: MayLeadTo<O>>(_inverse: A) {}

/// A target whose rows can be marked as read-only: a model with a field for the mark, or an enum of only such models.
#[diagnostic::on_unimplemented(
    message = "`readonly` needs a field of type `RowOrigin` in `{Self}`",
    label = "the rows of `{Self}` cannot say that they are read-only",
    note = "add `origin: RowOrigin` to `{Self}`: it is not stored"
)]
pub trait ReadonlyTarget<X> {}

/// Requires, at compile time, that the rows of a `readonly` association can be marked.
pub const fn check_readonly<T: ReadonlyTarget<()>>() {}

/// Checks at compile time that a model's primary key has as many columns as its join table has for it.
pub const fn check_join_columns<T: Model>(columns: usize) {
    assert!(
        T::PRIMARY_KEY.len() == columns,
        "a join table has a column for each column of the target's primary key: name as many with \
         `association_foreign_key = \"…\"`"
    );
}

/// Requires, at compile time, that a foreign key has a column that can be cleared: one that can be `NULL` and is not part of
/// the row's own key.
pub const fn check_nullify<T: Model>(foreign_key: &[usize]) {
    let mut clears = false;
    let mut at = 0;
    while at < foreign_key.len() {
        let column = foreign_key[at];
        let mut is_key = false;
        let mut part = 0;
        while part < T::PRIMARY_KEY.len() {
            is_key = is_key || T::PRIMARY_KEY[part] == column;
            part += 1;
        }
        clears = clears || (T::COLUMNS[column].nullable && !is_key);
        at += 1;
    }
    assert!(
        clears,
        "`dependent = \"nullify\"` clears the foreign key, and this one cannot be NULL: make a column of it an `Option` that is \
         not part of the target's primary key, or choose another rule"
    );
}

/// Requires, at compile time, that a table is that of the model of its rows.
pub const fn check_join_table<J: Model>(named: TableRef) {
    let own = J::DEF.table;
    let schema = match (named.schema, own.schema) {
        (None, None) => true,
        (Some(named), Some(own)) => same(named, own),
        _ => false,
    };
    assert!(
        schema && same(named.name, own.name),
        "`join_table` names another table than the model of the join table's rows has: leave it out, or name the same"
    );
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// The join table of a `has_and_belongs_to_many` from `O` to `T`: the columns that refer to the owner, then those that
/// refer to the target. Made once for each association, and kept.
#[must_use]
pub fn join_table_def(
    owner: &ModelDef,
    target: &ModelDef,
    named: Option<TableRef>,
    owner_columns: &[&'static str],
    target_columns: &[&'static str],
) -> ModelDef {
    let table = named.unwrap_or_else(|| {
        let (owner, target) = (owner.table, target.table);
        TableRef { schema: owner.schema.or(target.schema), name: join_table_name(owner.name, target.name).leak() }
    });
    fn referring(model: &ModelDef, columns: &[&'static str]) -> impl Iterator<Item = ColumnDef> {
        let key = model.primary_key.iter().filter_map(|column| model.columns.get(*column));
        columns.iter().zip(key).map(|(name, key)| ColumnDef::new(name, name, key.sql_type, false))
    }
    let columns: Vec<ColumnDef> = referring(owner, owner_columns).chain(referring(target, target_columns)).collect();
    ModelDef::join_table(table.name, table, columns.leak())
}

// Both tables in byte order; what they share up to a `_` once (D12).
fn join_table_name(one: &str, other: &str) -> String {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    let shared = first
        .rmatch_indices('_')
        .map(|(at, _)| at + 1)
        .find(|end| *end < first.len() && *end < second.len() && second.starts_with(&first[..*end]))
        .unwrap_or(0);
    format!("{first}_{}", &second[shared..])
}

/// Why a polymorphic association that leaves unknown types alone cannot be read.
#[cold]
#[must_use]
pub fn polymorphic_not_loaded<O: Model, E: Polymorphic>(
    owner: &O,
    association: &'static str,
    type_column: usize,
    reason: NotLoadedReason,
) -> AssociationNotLoaded {
    match owner.value(type_column) {
        Value::Text(tag)
            if reason == NotLoadedReason::NotRequested
                && !tag.is_empty()
                && !E::VARIANTS.iter().any(|known| known.tag == tag) =>
        {
            AssociationNotLoaded::unknown_type(O::DEF.name, association, &tag)
        }
        _ => AssociationNotLoaded::new(O::DEF.name, association, reason),
    }
}

/// Wraps the rows of a model into a polymorphic enum and an `Arc` each.
#[must_use]
pub fn share_variant<M: Model, E: Polymorphic>(rows: Box<dyn Rows>, wrap: fn(M) -> E) -> Box<dyn Any> {
    let rows = rows.into_any().downcast::<Vec<M>>().map(|rows| *rows).unwrap_or_default();
    Box::new(rows.into_iter().map(|row| Arc::new(wrap(row))).collect::<Vec<Arc<E>>>())
}

#[cfg(test)]
mod tests {
    use super::join_table_name;

    #[test]
    fn join_tables_are_named_after_both_tables() {
        let cases = [
            ("tags", "posts", "posts_tags"),
            ("posts", "tags", "posts_tags"),
            ("papers", "paper_boxes", "paper_boxes_papers"),
            ("catalog_products", "catalog_categories", "catalog_categories_products"),
            ("shop_eu_orders", "shop_eu_items", "shop_eu_items_orders"),
            ("a_", "a_b", "a__a_b"),
            ("users", "users", "users_users"),
        ];
        for (one, other, name) in cases {
            assert_eq!(join_table_name(one, other), name, "{one}, {other}");
        }
    }
}

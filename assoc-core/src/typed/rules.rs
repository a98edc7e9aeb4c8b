//! Rules of a model as a program writes them: what a function named by `rules = f` receives and returns.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, OnceLock};

use crate::column_type::{ColumnType, IntoColumn};
use crate::error::FieldError;
use crate::metadata::model::Model;
use crate::metadata::rules::{Check, Condition, FinalValues, Occasion, Rule, RuleError, RuleSet};
use crate::typed::association::Association;
use crate::typed::column::{Column, ColumnList};
use crate::value::Value;

mod by_database;
mod column_kinds;
mod final_row;
#[cfg(feature = "regex")]
mod pattern;
#[cfg(any(feature = "regex", feature = "email", feature = "url"))]
mod text_forms;

pub use column_kinds::{BoolColumn, HasLength, IntegerColumn, OrderedColumn};
pub use final_row::FinalRow;
#[cfg(feature = "regex")]
pub use pattern::IntoPattern;

/// Rules about rows of model `M`: what a function named by `#[model(rules = f)]` receives and returns. Each call adds one.
///
/// A rule judges the values as they will be: those of the row with the changes over them. It runs for every new row, and
/// for a row that exists if a column that it reads changes; [`always`](Self::always), [`on_insert`](Self::on_insert),
/// [`on_update`](Self::on_update) and [`when`](Self::when) say otherwise for the rules that they contain. `NULL` satisfies
/// every rule but [`required`](Self::required) and [`accepted`](Self::accepted), and so does a value that only the database
/// knows.
///
/// A save runs the rules of all its rows, at any depth of members, and collects all problems before its first statement.
///
/// ```
/// use assoc_core::{FieldError, Model, Rules};
/// use assoc_macros::Model;
///
/// #[derive(Model, Clone)]
/// #[model(rules = Self::rules)]
/// struct User {
///     id: i64,
///     name: String,
///     email: String,
///     age: Option<u8>,
///     role: String,
/// }
///
/// impl User {
///     fn rules(rules: Rules<User>) -> Rules<User> {
///         rules
///             .length(User::NAME, 1..=80)
///             .unique(User::EMAIL)
///             .message("belongs to somebody else")
///             .range(User::AGE, 18..)
///             .inclusion(User::ROLE, ["author", "editor"])
///     }
/// }
/// # assert!(User::DEF.rules.is_some());
/// ```
#[must_use = "a function of rules returns them"]
pub struct Rules<M> {
    set: RuleSet,
    model: PhantomData<fn() -> M>,
}

impl<M> Default for Rules<M> {
    fn default() -> Self {
        Rules::new()
    }
}

impl<M> fmt::Debug for Rules<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.set, f)
    }
}

impl<M> Rules<M> {
    /// No rules.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::<User>::new();
    /// # assert_eq!(said(rules, User::NAME, ""), "");
    /// ```
    pub fn new() -> Self {
        Rules { set: RuleSet::new(), model: PhantomData }
    }

    /// The rules as data.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().odd(User::AGE).into_set();
    /// # assert!(format!("{rules:?}").contains("Multiple"));
    /// ```
    #[must_use]
    pub fn into_set(self) -> RuleSet {
        self.set
    }

    fn with(mut self, columns: Vec<usize>, check: Check) -> Self {
        self.set.push(Rule::new(columns, check));
        self
    }

    /// Sets the message of the rule before, in words that follow the field's name.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().odd(User::AGE).message("is one of a pair"); // "age is one of a pair"
    /// # assert_eq!(said(rules, User::AGE, 4), "age is one of a pair");
    /// ```
    pub fn message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        if let Some(rule) = self.set.last_mut() {
            rule.message = Some(message.into());
        }
        self
    }

    /// Sets the code of the rule before.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().odd(User::AGE).code("paired"); // in place of `FieldError::ODD`
    /// # let mut change = ada();
    /// # change.set(User::AGE.index(), Value::Int(4));
    /// # assert_eq!(problems(change, rules)[0].code, "paired");
    /// ```
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        if let Some(rule) = self.set.last_mut() {
            rule.code = Some(code.into());
        }
        self
    }

    fn group(mut self, occasion: Option<Occasion>, condition: Option<&Condition>, rules: Rules<M>) -> Self {
        self.set.extend(rules.set, occasion, condition);
        self
    }

    /// Rules that run whenever the row is written, also if none of their columns changes. The values of those columns are
    /// the ones that the row had when it was read.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// // Also if only the name changes.
    /// let rules = Rules::new().always(|rules| rules.required(User::EMAIL));
    /// # assert_eq!(said(rules, User::NAME, "Grace"), "email must not be blank");
    /// ```
    pub fn always(self, rules: impl FnOnce(Rules<M>) -> Rules<M>) -> Self {
        self.group(Some(Occasion::Written), None, rules(Rules::new()))
    }

    /// Rules of new rows alone.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().on_insert(|rules| rules.required(User::EMAIL)); // older rows may lack it
    /// # assert_eq!(said(rules, User::NAME, "Grace"), "");
    /// ```
    pub fn on_insert(self, rules: impl FnOnce(Rules<M>) -> Rules<M>) -> Self {
        self.group(Some(Occasion::Inserted), None, rules(Rules::new()))
    }

    /// Rules of rows that exist, whenever they are written.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().on_update(|rules| rules.required(User::EMAIL)); // new rows may lack it
    /// # assert_eq!(said(rules, User::NAME, "Grace"), "email must not be blank");
    /// ```
    pub fn on_update(self, rules: impl FnOnce(Rules<M>) -> Rules<M>) -> Self {
        self.group(Some(Occasion::Updated), None, rules(Rules::new()))
    }
}

impl<M: Model> Rules<M> {
    /// Rules that run if a condition of the row holds.
    ///
    /// ```
    /// # use assoc_core::{Model, Rules};
    /// # #[derive(assoc_macros::Model, Clone)]
    /// # struct Order { id: i64, express: bool, phone: Option<String> }
    /// # impl Order {
    /// fn rules(rules: Rules<Order>) -> Rules<Order> {
    ///     rules.when(|order| order.get(Order::EXPRESS) == Some(true), |rules| rules.required(Order::PHONE))
    /// }
    /// # }
    /// # let _ = Order::rules(Rules::new());
    /// ```
    pub fn when(
        self,
        holds: impl Fn(&FinalRow<'_, M>) -> bool + Send + Sync + 'static,
        rules: impl FnOnce(Rules<M>) -> Rules<M>,
    ) -> Self {
        let condition: Condition = Arc::new(move |row: &dyn FinalValues| holds(&FinalRow::of(row)));
        self.group(None, Some(&condition), rules(Rules::new()))
    }

    /// The column is not `NULL`, and text is not only blanks. A column whose type is no `Option` needs no rule to be given.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().required(User::EMAIL); // " ": "email must not be blank"
    /// # assert_eq!(said(rules, User::EMAIL, " "), "email must not be blank");
    /// ```
    pub fn required<V: ColumnType>(self, column: Column<M, V>) -> Self {
        self.with(vec![column.index()], Check::Present)
    }

    /// The number of characters of a text, or of bytes, lies in a range.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().length(User::NAME, 2..=80); // "A": "name is too short: at least 2 characters"
    /// # assert_eq!(said(rules, User::NAME, "A"), "name is too short: at least 2 characters");
    /// ```
    pub fn length<V: HasLength>(self, column: Column<M, V>, length: impl RangeBounds<usize>) -> Self {
        let (min, max) = counts(&length);
        self.with(vec![column.index()], Check::Length { min, max })
    }

    /// A number, date or time is in a range. Decimals are compared exactly. Either end may be open or excluded:
    /// `1..=5`, `18..`, `(Bound::Excluded(0), Bound::Unbounded)`.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().range(User::AGE, 18..); // 17: "age must be at least 18"
    /// # assert_eq!(said(rules, User::AGE, 17), "age must be at least 18");
    /// ```
    pub fn range<V: OrderedColumn>(self, column: Column<M, V>, range: impl RangeBounds<V::Bound>) -> Self {
        let (from, to) = (value_bound(range.start_bound()), value_bound(range.end_bound()));
        self.with(vec![column.index()], Check::Range { from, to })
    }

    /// A number, date or time is greater than another.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().greater(User::AGE, 17); // 17: "age must be greater than 17"
    /// # assert_eq!(said(rules, User::AGE, 17), "age must be greater than 17");
    /// ```
    pub fn greater<V: OrderedColumn>(self, column: Column<M, V>, than: V::Bound) -> Self {
        let from = Bound::Excluded(than.into_value());
        self.with(vec![column.index()], Check::Range { from, to: Bound::Unbounded })
    }

    /// A number, date or time is less than another.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().less(User::AGE, 130); // 130: "age must be less than 130"
    /// # assert_eq!(said(rules, User::AGE, 130), "age must be less than 130");
    /// ```
    pub fn less<V: OrderedColumn>(self, column: Column<M, V>, than: V::Bound) -> Self {
        let to = Bound::Excluded(than.into_value());
        self.with(vec![column.index()], Check::Range { from: Bound::Unbounded, to })
    }

    /// An integer is odd.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().odd(User::AGE); // 4: "age must be odd"
    /// # assert_eq!(said(rules, User::AGE, 4), "age must be odd");
    /// ```
    pub fn odd<V: IntegerColumn>(self, column: Column<M, V>) -> Self {
        self.with(vec![column.index()], Check::Multiple { of: 2, remainder: 1 })
    }

    /// An integer is even.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().even(User::AGE); // 3: "age must be even"
    /// # assert_eq!(said(rules, User::AGE, 3), "age must be even");
    /// ```
    pub fn even<V: IntegerColumn>(self, column: Column<M, V>) -> Self {
        self.with(vec![column.index()], Check::Multiple { of: 2, remainder: 0 })
    }

    /// An integer is a multiple of another one.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().multiple(User::AGE, 10); // 42: "age must be a multiple of 10"
    /// # assert_eq!(said(rules, User::AGE, 42), "age must be a multiple of 10");
    /// ```
    pub fn multiple<V: IntegerColumn>(self, column: Column<M, V>, of: u32) -> Self {
        self.with(vec![column.index()], Check::Multiple { of: of.into(), remainder: 0 })
    }

    /// The value is one of these.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// // "owner": "role must be one of: author, editor"
    /// let rules = Rules::new().inclusion(User::ROLE, ["author", "editor"]);
    /// # assert_eq!(said(rules, User::ROLE, "owner"), "role must be one of: author, editor");
    /// ```
    pub fn inclusion<V: ColumnType>(
        self,
        column: Column<M, V>,
        values: impl IntoIterator<Item: IntoColumn<V>>,
    ) -> Self {
        let values = values.into_iter().map(|value| value.into_column().into_value()).collect();
        self.with(vec![column.index()], Check::Inclusion(values))
    }

    /// The value is none of these.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().exclusion(User::NAME, ["admin", "root"]); // "root": "name must not be root"
    /// # assert_eq!(said(rules, User::NAME, "root"), "name must not be root");
    /// ```
    pub fn exclusion<V: ColumnType>(
        self,
        column: Column<M, V>,
        values: impl IntoIterator<Item: IntoColumn<V>>,
    ) -> Self {
        let values = values.into_iter().map(|value| value.into_column().into_value()).collect();
        self.with(vec![column.index()], Check::Exclusion(values))
    }

    /// The value was entered a second time in the same way, if it was entered a second time: by `confirm` on the
    /// changeset, or by `confirmation` of a permit. The problem's path is `password_confirmation`.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().confirmation(User::EMAIL); // "email_confirmation does not match email"
    /// # let mut change = ada();
    /// # change.set(User::EMAIL.index(), "ada@example.org".into());
    /// # change.enter("email_confirmation", "eva@example.org".into());
    /// # assert_eq!(problems(change, rules)[0].to_string(), "email_confirmation does not match email");
    /// ```
    pub fn confirmation<V: ColumnType>(self, column: Column<M, V>) -> Self {
        self.with(vec![column.index()], Check::Confirmation)
    }

    /// Something that is not stored was accepted, if it was asked for: by `accept` on the changeset, or by `acceptance` of a
    /// permit, which also notes that nothing was entered.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().acceptance("terms"); // "terms must be accepted"
    /// # let mut change = ada();
    /// # change.enter("terms", false.into());
    /// # assert_eq!(problems(change, rules)[0].to_string(), "terms must be accepted");
    /// ```
    pub fn acceptance(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(Vec::new(), Check::Acceptance(name.into()))
    }

    /// A column is `true`.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().accepted(User::ADULT); // `false`: "adult must be accepted"
    /// # assert_eq!(said(rules, User::ADULT, false), "adult must be accepted");
    /// ```
    pub fn accepted<V: BoolColumn>(self, column: Column<M, V>) -> Self {
        self.with(vec![column.index()], Check::True)
    }

    /// What a function says about a value that is not `NULL`. It returns a message, or a [`RuleError`] with a code.
    ///
    /// ```
    /// # use assoc_core::{Model, Rules};
    /// # #[derive(assoc_macros::Model, Clone)]
    /// # struct User { id: i64, name: String }
    /// # fn rules(rules: Rules<User>) -> Rules<User> {
    /// rules.custom(User::NAME, |name| if name.contains('@') { Err("is an address") } else { Ok(()) })
    /// # }
    /// # let _ = rules(Rules::new());
    /// ```
    pub fn custom<V: ColumnType, E: Into<RuleError>>(
        self,
        column: Column<M, V>,
        check: impl Fn(&V) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let check = move |value: &Value<'_>| match V::from_value(&mut value.clone().into_owned()) {
            Ok(value) => check(&value).map_err(Into::into),
            // A value that was set is one of its type.
            Err(_) => Ok(()),
        };
        self.with(vec![column.index()], Check::Value(Arc::new(check)))
    }

    /// What a function says about the row as it will be: rules of several columns. It names the columns that it reads, and
    /// runs when one of them changes; with `()` it runs whenever the row is written.
    ///
    /// ```
    /// # use assoc_core::{FieldError, Model, Rules};
    /// # #[derive(assoc_macros::Model, Clone)]
    /// # struct Event { id: i64, starts: i64, ends: i64 }
    /// # fn rules(rules: Rules<Event>) -> Rules<Event> {
    /// rules.row((Event::STARTS, Event::ENDS), |event| {
    ///     let is_over_before = event.get(Event::ENDS) < event.get(Event::STARTS);
    ///     is_over_before.then(|| FieldError::new("ends", "must be after the start"))
    /// })
    /// # }
    /// # let _ = rules(Rules::new());
    /// ```
    pub fn row<E: IntoIterator<Item = FieldError>>(
        self,
        reads: impl RuleColumns<M>,
        check: impl Fn(&FinalRow<'_, M>) -> E + Send + Sync + 'static,
    ) -> Self {
        let check = move |row: &dyn FinalValues| check(&FinalRow::of(row)).into_iter().collect::<Vec<_>>();
        self.with(reads.columns(), Check::Row(Arc::new(check)))
    }

    /// The number of members lies in a range. The rule judges the members of a new row, and members that replace all others.
    /// It does not judge a row that keeps its members, because counting them would need a query.
    ///
    /// ```
    #[doc = include_str!("../../docs/rules.txt")]
    /// let rules = Rules::new().members(User::POSTS, 1..=10); // "posts needs at least 1 member"
    /// # assert!(has(rules, "Members"));
    /// ```
    pub fn members<T, H>(self, association: Association<M, T, H>, count: impl RangeBounds<usize>) -> Self {
        let (min, max) = counts(&count);
        self.with(Vec::new(), Check::Members { association: association.def(), min, max })
    }
}

fn counts(range: &impl RangeBounds<usize>) -> (Option<usize>, Option<usize>) {
    let min = match range.start_bound() {
        Bound::Included(min) => Some(*min),
        Bound::Excluded(below) => Some(below.saturating_add(1)),
        Bound::Unbounded => None,
    };
    let max = match range.end_bound() {
        Bound::Included(max) => Some(*max),
        Bound::Excluded(above) => Some(above.saturating_sub(1)),
        Bound::Unbounded => None,
    };
    (min.filter(|min| *min > 0), max)
}

fn value_bound<B: ColumnType>(bound: Bound<&B>) -> Bound<Value<'static>> {
    match bound {
        Bound::Included(value) => Bound::Included(value.to_value().into_owned()),
        Bound::Excluded(value) => Bound::Excluded(value.to_value().into_owned()),
        Bound::Unbounded => Bound::Unbounded,
    }
}

/// The columns that a rule about a row reads: a column, a tuple of columns, or `()` for the whole row.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::RuleColumns;
///
/// assert_eq!(RuleColumns::<Post>::columns((Post::ID, Post::TITLE)), [0, 2]);
/// assert!(RuleColumns::<Post>::columns(()).is_empty(), "the whole row");
/// ```
pub trait RuleColumns<M> {
    /// Their positions; none for the whole row.
    fn columns(self) -> Vec<usize>;
}

impl<M> RuleColumns<M> for () {
    fn columns(self) -> Vec<usize> {
        Vec::new()
    }
}

macro_rules! rule_columns {
    ($(($($name:ident),+))+) => {$(
        impl<M, $($name),+> RuleColumns<M> for ($(Column<M, $name>,)+) {
            fn columns(self) -> Vec<usize> {
                self.indexes()
            }
        }
    )+};
}

rule_columns!((A)(A, B)(A, B, C)(A, B, C, D)(A, B, C, D, E)(A, B, C, D, E, F));

impl<M, V> RuleColumns<M> for Column<M, V> {
    fn columns(self) -> Vec<usize> {
        self.indexes()
    }
}

/// The rules of a model, made when they are first needed.
pub fn rule_set(cell: &'static OnceLock<RuleSet>, make: fn() -> RuleSet) -> &'static RuleSet {
    cell.get_or_init(make)
}

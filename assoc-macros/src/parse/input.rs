//! What a struct and its attributes say, as data.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, Expr, LitStr, Path, Type, Visibility};

use crate::attributes::{FieldName, FieldNames, Inverse};
use crate::dependent::DependentInput;
use crate::follow::FollowInput;
use crate::holder::Holder;
use crate::kinds::Kind;

/// A struct with `#[derive(Model)]`.
pub(crate) struct ModelInput {
    pub(crate) ident: Ident,
    pub(crate) root: Option<Path>,
    pub(crate) table: Option<LitStr>,
    pub(crate) primary_key: Option<FieldNames>,
    pub(crate) auto_increment: Option<(bool, Span)>,
    pub(crate) default_scope: Option<Path>,
    pub(crate) rules: Option<Path>,
    pub(crate) discriminator: Option<FieldName>,
    pub(crate) tag: Option<LitStr>,
    /// Where `read_back` is declared, if it is.
    pub(crate) read_back: Option<Span>,
    /// Where it is said that there are callbacks.
    pub(crate) callbacks: Option<Span>,
    /// The module of Diesel's `table!`.
    pub(crate) diesel: Option<Path>,
    /// Where it is said that serde writes and reads it.
    pub(crate) serde: Option<Span>,
    /// How serde calls its fields.
    pub(crate) rename_all: Option<LitStr>,
    pub(crate) fields: Vec<FieldInput>,
}

/// A field of it.
pub(crate) struct FieldInput {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) ty: Type,
    pub(crate) role: Role,
}

/// What a field is for.
pub(crate) enum Role {
    Column(ColumnInput),
    Association(Box<AssociationInput>),
    /// Not stored.
    Skipped,
    /// Where the row came from: not stored, and known by its type.
    Origin,
    /// An aggregate beside the row, read as this type: not stored, and known by its type.
    Aggregated(Box<Type>),
    /// Wrong, and reported.
    Unknown,
}

/// `#[column(…)]`.
#[derive(Default)]
pub(crate) struct ColumnInput {
    pub(crate) name: Option<LitStr>,
    pub(crate) default: DefaultInput,
    pub(crate) length: Option<u32>,
    pub(crate) precision: Option<Precision>,
    /// Where it is said that the database computes it.
    pub(crate) generated: Option<(Span, Option<LitStr>)>,
    pub(crate) read_back: bool,
    /// Where it is said that serde neither writes nor reads it.
    pub(crate) serde_leaves_out: Option<Span>,
    /// What fills it in when a row is written, and where it is said.
    pub(crate) filled: Option<(FilledInput, Span)>,
}

/// What fills a column in when a row is written.
#[derive(Clone)]
pub(crate) enum FilledInput {
    CreatedAt,
    UpdatedAt,
    LockVersion,
    CounterCache,
    /// A function of the application.
    With(Path),
}

impl FilledInput {
    /// The option's name.
    pub(crate) fn option(&self) -> &'static str {
        match self {
            FilledInput::CreatedAt => "created_at",
            FilledInput::UpdatedAt => "updated_at",
            FilledInput::LockVersion => "lock_version",
            FilledInput::CounterCache => "counter_cache",
            FilledInput::With(_) => "default_with",
        }
    }
}

/// How many digits a decimal has, and how many of them behind the point.
#[derive(Clone)]
pub(crate) struct Precision {
    pub(crate) precision: u8,
    pub(crate) scale: u8,
    pub(crate) span: Span,
}

/// What the database fills in.
#[derive(Default)]
pub(crate) enum DefaultInput {
    #[default]
    None,
    Database,
    Sql(LitStr),
}

/// `#[has_many(…)]` and the like.
pub(crate) struct AssociationInput {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) field: FieldType,
    pub(crate) options: AssociationOptions,
    /// All options that are given, and where.
    pub(crate) given: Vec<(String, Span)>,
    /// `#[deprecated]` beside it.
    pub(crate) deprecated: Option<Attribute>,
}

/// The declared options about keys and the association's path.
#[derive(Default)]
pub(crate) struct AssociationOptions {
    pub(crate) foreign_key: Option<FieldNames>,
    pub(crate) primary_key: Option<FieldNames>,
    pub(crate) association_foreign_key: Option<FieldNames>,
    pub(crate) join_table: Option<LitStr>,
    pub(crate) through: Option<FieldName>,
    pub(crate) source: Option<FieldName>,
    pub(crate) source_type: Option<LitStr>,
    pub(crate) polymorphic: bool,
    pub(crate) as_: Option<FieldName>,
    pub(crate) foreign_type: Option<FieldName>,
    /// Whether the association leaves rows with unknown types not loaded.
    pub(crate) leaves_unknown: bool,
    pub(crate) tag: Option<LitStr>,
    /// Whether the accessor is hand-written.
    pub(crate) own_accessor: bool,
    pub(crate) finder_sql: Option<Path>,
    pub(crate) counter_sql: Option<Path>,
    pub(crate) link_sql: LinkSqlInput,
    pub(crate) dependent: Option<DependentInput>,
    pub(crate) follow: FollowInput,
    pub(crate) callbacks: MemberCallbacksInput,
    pub(crate) scope_def: ScopeInput,
    /// Calls on the definition, one for each plain option.
    pub(crate) plain: Vec<TokenStream>,
}

/// The functions that give the SQL which links rows, and unlinks them.
#[derive(Default, Clone)]
pub(crate) struct LinkSqlInput {
    pub(crate) insert: Option<Path>,
    pub(crate) delete: Option<Path>,
}

/// The functions that run when rows become members, and when they are members no longer.
#[derive(Default, Clone)]
pub(crate) struct MemberCallbacksInput {
    pub(crate) before_add: Vec<Path>,
    pub(crate) after_add: Vec<Path>,
    pub(crate) before_remove: Vec<Path>,
    pub(crate) after_remove: Vec<Path>,
}

/// What is given about which rows there are.
#[derive(Default, Clone)]
pub(crate) struct ScopeInput {
    pub(crate) scope: Option<Path>,
    pub(crate) filter: Option<Expr>,
    pub(crate) order: Option<Expr>,
    pub(crate) limit: Option<u32>,
    pub(crate) offset: Option<u32>,
    pub(crate) distinct: bool,
    pub(crate) include: Option<Expr>,
    pub(crate) owner_scope: Option<Path>,
    /// Where it is said.
    pub(crate) readonly: Option<Span>,
    pub(crate) inverse: Option<Inverse>,
}

/// The type of an association's field.
pub(crate) struct FieldType {
    pub(crate) holder: Holder,
    /// What is between the angle brackets: `User` or `Option<User>`.
    pub(crate) slot: Type,
    /// The target: `User`.
    pub(crate) target: Type,
    /// The model of a join table's rows: `PostTag`.
    pub(crate) join_row: Option<Type>,
}

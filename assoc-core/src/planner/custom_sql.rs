//! Associations that are the application's SQL (`finder_sql`): what can be put on top of it.

use super::build::{Columns, LoadedBy, NewEdge, PlanRequest, Role};
use super::{Fetch, Plan};
use crate::error::{Error, Result};
use crate::metadata::association::CustomSql;
use crate::metadata::model::ascending_once;
use crate::select::{KeyedSelect, PerOwner, RowOrder};

impl Plan {
    pub(super) fn add_custom_sql(
        &mut self,
        node: usize,
        requested: PlanRequest<'_>,
        custom_sql: CustomSql,
    ) -> Result<usize> {
        let (association, scope, role) = (requested.chain.association, &requested.chain.scope, requested.role);
        let refuse = |what: &str| {
            let message = format!("`{}` has SQL of its own (`finder_sql`): {what}", association.name);
            Err(Error::invalid_query((association.owner)().name, message))
        };
        if role == Role::Through {
            return refuse("no other association can go through it");
        }
        if scope.distinct {
            return refuse("say `DISTINCT` there");
        }
        if !scope.group.is_empty() {
            return refuse("`group_by` does not work on top of it, say which rows there are in the SQL");
        }
        let limited = scope.limit.is_some() || scope.offset.is_some();
        let select = KeyedSelect {
            filter: scope.filter.clone(),
            order: scope.order.clone(),
            selected: scope.select.as_deref().map(ascending_once),
            row_order: RowOrder::ByKey,
            per_owner: limited.then(|| PerOwner { limit: scope.limit, offset: scope.offset.unwrap_or(0) }),
            ..KeyedSelect::new((association.target)(), &[])
        };
        // By no key: which rows an owner has is for the statement to say.
        let by = LoadedBy::Owner(Fetch::CustomSql(custom_sql), None);
        let columns = Columns::OfRows;
        Ok(self.push_edge(node, NewEdge { association, role, columns, variant: None, select, by }))
    }
}

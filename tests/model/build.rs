//! Makes a schema and its rules out of genes, such that `check` has nothing to say against them.

use erasured::config::Rule;

use super::genes::{Dice, Genes};
use super::names::Names;
use super::world::{
    Cell, Column, Criterion, KeyKind, Node, Reference, Replacement, Retention, Role, Side, Table, World,
};

/// Dependents may hang as deep as this.
const DEPTH_MAX: usize = 3;
/// Dependents in all.
const NODES_MAX: usize = 24;

/// The world that the genes describe; `None` where the rules would demand more dependents than anybody writes.
pub fn world(genes: &Genes) -> Option<World> {
    let mut builder = Builder { tables: Vec::new(), references: Vec::new(), nodes: Vec::new() };
    builder.record(&genes.record);
    for gene in &genes.nodes {
        builder.dependent(gene);
    }
    for gene in &genes.bystanders {
        builder.bystander(gene);
    }
    builder.cover()?;
    builder.sort_by_depth();
    builder.forbid_null_where_nothing_is_cut(genes);
    let mut world = World {
        tables: builder.tables,
        references: builder.references,
        nodes: builder.nodes,
        criteria: criteria(&genes.run),
        identity: Vec::new(),
        stubborn: (genes.run[18] % 4 == 3).then(|| usize::from(genes.run[19]) % 4),
        undoes: genes.run[17] % 2 == 1,
        wal: genes.run[0] % 2 == 1,
    };
    let personal: Vec<usize> = (0..world.tables[0].columns.len())
        .filter(|column| matches!(world.tables[0].columns[*column].role, Role::Personal(_) | Role::Plain))
        .collect();
    let count = if genes.run[1].is_multiple_of(2) { 1 } else { personal.len() };
    world.identity = personal.into_iter().take(count).collect();
    Names::new(&genes.names).give(&mut world);
    Some(world)
}

fn criteria(genes: &[u8]) -> Vec<Criterion> {
    let mut dice = Dice::new(&genes[4..]);
    let one = |dice: &mut Dice<'_>| {
        let shape = dice.pick(3);
        Criterion {
            years: (shape != 1).then(|| 1 + i32::try_from(dice.pick(4)).unwrap()),
            year_end: dice.chance(30),
            status: (shape != 0).then(|| i64::try_from(dice.pick(3)).unwrap()),
            quoted: dice.chance(50),
        }
    };
    let first = one(&mut dice);
    if dice.chance(50) { vec![first, one(&mut dice)] } else { vec![first] }
}

struct Builder {
    tables: Vec<Table>,
    references: Vec<Reference>,
    nodes: Vec<Node>,
}

impl Builder {
    fn record(&mut self, gene: &[u8]) {
        let mut dice = Dice::new(gene);
        let kind = key_kind(&mut dice, 6);
        let mut table = table(kind, &mut dice);
        data_columns(&mut table, &mut dice, true);
        self.tables.push(table);
        self.nodes.push(Node {
            table: 0,
            parent: 0,
            depth: 0,
            side: Side::Child,
            reference: usize::MAX,
            rule: Rule::Keep,
            scrubs: true,
            retention: None,
        });
    }

    fn dependent(&mut self, gene: &[u8]) {
        let mut dice = Dice::new(gene);
        let eligible: Vec<usize> = (0..self.nodes.len())
            .filter(|place| *place == 0 || !self.are_records(*place))
            .filter(|place| self.nodes[*place].depth < DEPTH_MAX)
            .collect();
        let parent = eligible[dice.pick(eligible.len())];
        let side = if dice.chance(35) { Side::Owned } else { Side::Child };
        let rule = [Rule::Keep, Rule::Delete, Rule::Unlink, Rule::Keep][dice.pick(4)];
        let retention = dice
            .chance(15)
            .then(|| Retention { years: 1 + i32::try_from(dice.pick(8)).unwrap(), year_end: dice.chance(30) });
        let table = self.dependent_table(&mut dice, parent, side, rule, retention.is_some());
        let rule = self.fitting_rule(rule, parent, side, table);
        let declared = dice.chance(75);
        let (from, to) = match side {
            Side::Child => (table, self.nodes[parent].table),
            Side::Owned => (self.nodes[parent].table, table),
        };
        let reuse = self.references.iter().position(|r| r.table == from && r.parent == to && dice.chance(25));
        let new_table_below = table + 1 == self.tables.len() && self.tables[table].kind == KeyKind::BelowParent;
        let reference = match reuse {
            Some(reference) if !self.is_taken(parent, side, reference) => reference,
            _ if new_table_below && self.references.iter().all(|r| r.table != table) => {
                self.key_reference(table, to, declared, &mut dice)
            }
            _ => self.add_reference(from, to, declared, &mut dice),
        };
        let scrubs = rule != Rule::Delete && !self.is_category(table) && dice.chance(70);
        let depth = self.nodes[parent].depth + 1;
        let retention = retention.filter(|_| self.tables[table].column(&Role::Since).is_some());
        self.nodes.push(Node { table, parent, depth, side, reference, rule, scrubs, retention });
    }

    /// A new table, or one that something else reaches already: the parent's own, the records', any other.
    fn dependent_table(
        &mut self,
        dice: &mut Dice<'_>,
        parent: usize,
        side: Side,
        rule: Rule,
        has_period: bool,
    ) -> usize {
        let wanted = dice.pick(10);
        let parent_table = self.nodes[parent].table;
        if wanted == 9 && side == Side::Child && (parent != 0 || rule != Rule::Delete) {
            return parent_table;
        }
        if wanted >= 7 && self.tables.len() > 1 {
            return 1 + dice.pick(self.tables.len() - 1);
        }
        let below = side == Side::Child && rule != Rule::Unlink && self.tables[parent_table].key.len() == 1;
        let kind = key_kind(dice, if below { 7 } else { 6 });
        let mut table = table(kind, dice);
        table.is_other_category =
            side == Side::Child && rule == Rule::Keep && kind != KeyKind::BelowParent && dice.chance(15);
        data_columns(&mut table, dice, has_period);
        self.tables.push(table);
        self.tables.len() - 1
    }

    fn fitting_rule(&self, rule: Rule, parent: usize, side: Side, table: usize) -> Rule {
        let below_delete = parent != 0 && self.nodes[parent].rule == Rule::Delete && side == Side::Child;
        let is_circle = self.path(parent).any(|place| place != 0 && self.nodes[place].table == table);
        match rule {
            Rule::Keep if below_delete => self.fitting_rule(Rule::Delete, parent, side, table),
            Rule::Delete if is_circle || self.is_category(table) => Rule::Unlink,
            rule => rule,
        }
    }

    /// Tables that nothing names, and that refer to something that stays.
    fn bystander(&mut self, gene: &[u8]) {
        let mut dice = Dice::new(gene);
        let to: Vec<usize> = (1..self.tables.len())
            .filter(|table| !self.nodes.iter().any(|node| node.table == *table && is_deleted_child(node)))
            .collect();
        if to.is_empty() {
            return;
        }
        let to = to[dice.pick(to.len())];
        let kind = key_kind(&mut dice, 6);
        self.tables.push(table(kind, &mut dice));
        self.add_reference(self.tables.len() - 1, to, true, &mut dice);
    }

    /// Every reference to a table of which rows are deleted gets its dependent.
    fn cover(&mut self) -> Option<()> {
        let mut place = 0;
        while place < self.nodes.len() {
            let node = self.nodes[place].clone();
            if place == 0 || is_deleted_child(&node) {
                for reference in 0..self.references.len() {
                    let from = self.references[reference].table;
                    let is_covered = self
                        .nodes
                        .iter()
                        .skip(1)
                        .any(|n| n.parent == place && n.side == Side::Child && n.reference == reference);
                    if self.references[reference].parent != node.table || is_covered {
                        continue;
                    }
                    let is_key = self.references[reference].columns.iter().any(|c| self.tables[from].key.contains(c));
                    let wanted = if is_key { Rule::Delete } else { Rule::Unlink };
                    let rule = self.fitting_rule(wanted, place, Side::Child, from);
                    if (is_key && rule != Rule::Delete) || self.nodes.len() >= NODES_MAX {
                        return None;
                    }
                    let depth = node.depth + 1;
                    let new = Node {
                        table: from,
                        parent: place,
                        depth,
                        side: Side::Child,
                        reference,
                        rule,
                        scrubs: false,
                        retention: None,
                    };
                    self.nodes.push(new);
                }
            }
            place += 1;
        }
        Some(())
    }

    /// The settings' order: whatever hangs less deep comes first.
    fn sort_by_depth(&mut self) {
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_key(|place| self.nodes[*place].depth);
        let sorted: Vec<Node> = order
            .iter()
            .map(|old| {
                let mut node = self.nodes[*old].clone();
                node.parent = order.iter().position(|place| *place == node.parent).unwrap();
                node
            })
            .collect();
        self.nodes = sorted;
    }

    fn forbid_null_where_nothing_is_cut(&mut self, genes: &Genes) {
        for (index, reference) in self.references.iter().enumerate() {
            let is_cut = self.nodes.iter().skip(1).any(|node| {
                node.reference == index
                    && match node.side {
                        Side::Child => node.rule == Rule::Unlink,
                        Side::Owned => node.rule != Rule::Keep,
                    }
            });
            if !is_cut && genes.run.get(8 + index % 8).is_some_and(|gene| gene % 3 == 2) {
                for column in &reference.columns {
                    self.tables[reference.table].columns[*column].not_null = true;
                }
            }
        }
    }

    fn key_reference(&mut self, table: usize, to: usize, declared: bool, dice: &mut Dice<'_>) -> usize {
        let columns = vec![self.tables[table].key[0]];
        let referred = &self.tables[to].columns[self.tables[to].key[0]];
        let declared_type = if referred.declared == "INTEGER" { "INT" } else { referred.declared };
        self.tables[table].columns[columns[0]].declared = declared_type;
        self.push_reference(table, columns, to, declared, dice)
    }

    fn add_reference(&mut self, from: usize, to: usize, declared: bool, dice: &mut Dice<'_>) -> usize {
        let types: Vec<&'static str> =
            self.tables[to].key.iter().map(|column| self.tables[to].columns[*column].declared).collect();
        let first = self.tables[from].columns.len();
        for declared in types {
            // How the reference itself compares does not matter: what it refers to decides.
            let nocase = declared == "TEXT" && dice.chance(20);
            self.tables[from].columns.push(Column { nocase, ..column(declared, Role::Reference) });
        }
        let columns = (first..self.tables[from].columns.len()).collect();
        self.push_reference(from, columns, to, declared, dice)
    }

    fn push_reference(
        &mut self,
        table: usize,
        columns: Vec<usize>,
        parent: usize,
        declared: bool,
        dice: &mut Dice<'_>,
    ) -> usize {
        let indexed = dice.chance(50);
        let action = ["", " ON DELETE CASCADE", " ON DELETE SET NULL", " DEFERRABLE INITIALLY DEFERRED"][dice.pick(4)];
        self.references.push(Reference { table, columns, parent, declared, indexed, action });
        self.references.len() - 1
    }

    fn is_taken(&self, parent: usize, side: Side, reference: usize) -> bool {
        self.nodes.iter().skip(1).any(|node| node.parent == parent && node.side == side && node.reference == reference)
    }

    fn is_category(&self, table: usize) -> bool {
        table == 0 || self.tables[table].is_other_category
    }

    fn are_records(&self, place: usize) -> bool {
        self.is_category(self.nodes[place].table)
    }

    fn path(&self, place: usize) -> impl Iterator<Item = usize> {
        let mut next = Some(place);
        std::iter::from_fn(move || {
            let here = next?;
            next = (here != 0).then(|| self.nodes[here].parent);
            Some(here)
        })
    }
}

fn is_deleted_child(node: &Node) -> bool {
    node.side == Side::Child && node.rule == Rule::Delete
}

fn column(declared: &'static str, role: Role) -> Column {
    Column { name: String::new(), declared, not_null: false, unique: false, nocase: false, role }
}

fn key_kind(dice: &mut Dice<'_>, choices: usize) -> KeyKind {
    use KeyKind::{BelowParent, Int, Pair, RowNumber, Text, Unique, Untyped};
    [RowNumber, Text, Pair, Int, Unique, Untyped, BelowParent][dice.pick(choices)]
}

fn table(kind: KeyKind, dice: &mut Dice<'_>) -> Table {
    let types: &[&'static str] = match kind {
        KeyKind::RowNumber => &["INTEGER"],
        KeyKind::Text | KeyKind::Unique => &["TEXT"],
        KeyKind::Pair | KeyKind::BelowParent => &["TEXT", "INT"],
        KeyKind::Int => &["INT"],
        KeyKind::Untyped => &[""],
    };
    let without_row_id = !matches!(kind, KeyKind::RowNumber | KeyKind::Unique) && dice.chance(40);
    let mut columns: Vec<Column> = types.iter().map(|declared| column(declared, Role::Key)).collect();
    for column in &mut columns {
        column.not_null = match kind {
            KeyKind::RowNumber => false,
            KeyKind::Text => without_row_id || dice.chance(50),
            _ => true,
        };
    }
    if matches!(kind, KeyKind::Text | KeyKind::Unique) && dice.chance(20) {
        columns[0].nocase = true;
    }
    let key = (0..columns.len()).collect();
    Table { name: String::new(), kind, without_row_id, columns, key, is_other_category: false }
}

fn data_columns(table: &mut Table, dice: &mut Dice<'_>, has_dates: bool) {
    let not_null = dice.chance(40);
    let unique = not_null && matches!(table.kind, KeyKind::RowNumber | KeyKind::Int) && dice.chance(40);
    let replacement = match (unique, not_null, dice.pick(3)) {
        (true, _, _) => Replacement::Template,
        (false, true, 0 | 1) => Replacement::Value(Cell::text("it's \"gone\"")),
        // Without a primary key a row's own key is its row number, which the model does not know.
        (false, true, _) | (_, false, 2) if table.kind == KeyKind::Unique => Replacement::Value(Cell::text("gone")),
        (false, true, _) if table.kind == KeyKind::RowNumber || table.columns.iter().all(|column| column.not_null) => {
            Replacement::Template
        }
        (false, true, _) => Replacement::Value(Cell::text("")),
        (_, false, 2) => Replacement::Template,
        _ => Replacement::Null,
    };
    let name = column("TEXT", Role::Personal(replacement));
    table.columns.push(Column { not_null, unique, ..name });
    if dice.chance(40) {
        table.columns.push(column("TEXT", Role::Personal(Replacement::Year)));
    }
    if dice.chance(30) {
        let cell = [Cell::Integer(0), Cell::Null][dice.pick(2)].clone();
        let replacement = if cell == Cell::Null { Replacement::Null } else { Replacement::Value(cell) };
        table.columns.push(column("INTEGER", Role::Personal(replacement)));
    }
    if dice.chance(50) {
        table.columns.push(column(["TEXT", "INTEGER", ""][dice.pick(3)], Role::Plain));
    }
    if has_dates || dice.chance(20) {
        table.columns.push(column("TEXT", Role::Since));
    }
    table.columns.push(column("INTEGER", Role::Status));
}

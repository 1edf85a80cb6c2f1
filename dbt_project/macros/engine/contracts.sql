{# A changed contract alters the mart in place, or says what a person must decide. #}

{% macro primary_key_of(node) %}
    {%- for constraint in node.constraints if constraint.type == 'primary_key' -%}
        {{ return(constraint.columns) }}
    {%- endfor -%}
    {{ exceptions.raise_compiler_error(node.name ~ ": a published model needs a primary_key constraint in its YAML.") }}
{% endmacro %}


{% macro is_required(column, key) %}
    {%- for constraint in column.constraints if constraint.type == 'not_null' -%}
        {{ return(true) }}
    {%- endfor -%}
    {{ return(column.name in key) }}
{% endmacro %}


{% macro require_table(existing) %}
    {% if existing is not none and not existing.is_table %}
        {{ exceptions.raise_compiler_error(
            this ~ " exists, but is a " ~ existing.type ~ ", and a mart is a table. "
            ~ "Rename or drop that " ~ existing.type ~ " and build again."
        ) }}
    {% endif %}
{% endmacro %}


{# Make the table as its contract says, without its key. #}
{% macro create_by_contract(relation, key) -%}
    create table {{ relation }} (
        {%- for column in model.columns.values() %}
        {{ adapter.quote(column.name) }} {{ column.data_type }}{{ ' not null' if is_required(column, key) }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}


{# What brings the columns to the contract: statements for before the rows are in, and for after. #}
{% macro alter_to_contract(relation, key) %}
    {%- set stored = {} -%}
    {%- for row in run_query(
        "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute where attrelid = '" ~ relation
        ~ "'::regclass and attnum > 0 and not attisdropped"
    ).rows -%}
        {%- do stored.update({row[0]: {'type': row[1], 'required': row[2]}}) -%}
    {%- endfor -%}
    {%- set contract_types = [] -%}
    {%- for column in model.columns.values() -%}
        {%- do contract_types.append("to_regtype('" ~ column.data_type ~ "')::text as " ~ adapter.quote(column.name)) -%}
    {%- endfor -%}
    {%- set wanted_types = run_query("select " ~ contract_types | join(', ')).rows[0] -%}
    {%- set early = [] -%}
    {%- set late = [] -%}

    {%- for name in stored if name not in model.columns -%}
        {{ exceptions.raise_compiler_error(
            relation ~ " has the column " ~ name ~ ", which its contract no longer has. Dropping it would break whoever reads it: "
            ~ "decide, and either put it back into the contract or run: drop view analysis." ~ adapter.quote(model.name)
            ~ "; alter table " ~ relation ~ " drop column " ~ adapter.quote(name)
        ) }}
    {%- endfor -%}

    {%- for column in model.columns.values() -%}
        {%- set required = is_required(column, key) -%}
        {%- set place = "alter table " ~ relation ~ " alter column " ~ adapter.quote(column.name) -%}
        {%- if column.name not in stored -%}
            {% do early.append(changed("alter table " ~ relation ~ " add column " ~ adapter.quote(column.name) ~ " " ~ column.data_type)) %}
            {%- if required %}{% do late.append(changed(place ~ " set not null")) %}{% endif -%}
        {%- else -%}
            {%- set wanted = wanted_types[loop.index0] -%}
            {%- set present = stored[column.name] -%}
            {%- if wanted != present.type -%}
                {%- if (present.type, wanted) in widenings() -%}
                    {% do early.append("select access.release('" ~ relation ~ "'::regclass)") %}
                    {% do early.append(changed(place ~ " type " ~ column.data_type)) %}
                    {% if is_mart() %}
                        {% do late.append("select access.show_to_analysts('" ~ relation ~ "'::regclass, " ~ withheld().all ~ ")") %}
                    {% endif %}
                {%- else -%}
                    {{ exceptions.raise_compiler_error(
                        relation ~ "." ~ column.name ~ " is " ~ present.type ~ ", and its contract says " ~ column.data_type
                        ~ ". That may lose values: decide, and run by hand: drop view analysis."
                        ~ adapter.quote(model.name) ~ "; " ~ place ~ " type " ~ column.data_type ~ " using …"
                    ) }}
                {%- endif -%}
            {%- endif -%}
            {%- if required and not present.required %}{% do late.append(changed(place ~ " set not null")) %}{% endif -%}
            {%- if present.required and not required %}{% do early.append(changed(place ~ " drop not null")) %}{% endif -%}
        {%- endif -%}
    {%- endfor -%}

    {%- set stored_key = run_query(
        "select string_agg(a.attname, ',' order by k.position) from pg_index as i"
        ~ " cross join lateral unnest(i.indkey) with ordinality as k (attnum, position)"
        ~ " join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.attnum"
        ~ " where i.indisprimary and i.indrelid = '" ~ relation ~ "'::regclass"
    ).rows[0][0] -%}
    {#- Columns behind those of the stored key: rows that were told apart still are. -#}
    {%- set wanted_key = key | join(',') -%}
    {%- if wanted_key.startswith(stored_key ~ ',') -%}
        {%- set stored_name = run_query(
            "select quote_ident(conname) from pg_constraint where contype = 'p' and conrelid = '" ~ relation ~ "'::regclass"
        ).rows[0][0] -%}
        {% do early.append(changed(
            "alter table " ~ relation ~ " drop constraint " ~ stored_name ~ ", add primary key ("
            ~ quote_columns(key) ~ ")"
        )) %}
    {%- elif wanted_key != stored_key -%}
        {{ exceptions.raise_compiler_error(
            relation ~ " has the primary key (" ~ stored_key ~ "), and its contract says (" ~ wanted_key
            ~ "). Rows cannot be matched across two keys: decide, and replace the key by hand, or drop the table and build it anew."
        ) }}
    {%- endif -%}
    {{ return({'early': early, 'late': late}) }}
{% endmacro %}


{# A statement that alters what readers may be reading, in short turns (access/store.sql). #}
{% macro changed(statement_text) %}
    {{ return("select access.change($agentp$" ~ statement_text ~ "$agentp$)") }}
{% endmacro %}


{# Changes of type that keep every value. #}
{% macro widenings() %}
    {{ return([
        ('smallint', 'integer'), ('smallint', 'bigint'), ('integer', 'bigint'), ('smallint', 'numeric'),
        ('integer', 'numeric'), ('bigint', 'numeric'), ('real', 'double precision'), ('character varying', 'text'),
    ]) }}
{% endmacro %}


{% macro quote_columns(names, prefix=none) %}
    {%- set quoted = [] -%}
    {%- for name in names %}{% do quoted.append((prefix ~ '.' if prefix else '') ~ adapter.quote(name)) %}{% endfor -%}
    {{ return(quoted | join(', ')) }}
{% endmacro %}


{% macro equal_keys(key, left, right) %}
    {%- set parts = [] -%}
    {%- for name in key %}{% do parts.append(left ~ '.' ~ adapter.quote(name) ~ ' = ' ~ right ~ '.' ~ adapter.quote(name)) %}{% endfor -%}
    {{ return(parts | join(' and ')) }}
{% endmacro %}

-- Seed 01, section 8, steps 1 and 2. The seed's own `ADD CONSTRAINT` fails on its second run; this one does not.
-- Looking before altering keeps a second run from waiting for an exclusive lock on a live table.

do $$
begin
    if (
        select count(*) < 3
        from pg_attribute
        where
            attrelid = 'public.wishlist_v2'::regclass
            and attname in ('status', 'processed_at', 'amount')
            and not attisdropped
    ) then
        alter table public.wishlist_v2
        add column if not exists status text not null default 'pending',
        add column if not exists processed_at timestamptz,
        add column if not exists amount numeric;
    end if;

    if not exists (
        select 1
        from pg_constraint
        where conrelid = 'public.wishlist_v2'::regclass and conname = 'wishlist_status_check'
    ) then
        -- NOT VALID binds new rows at once; old rows are checked below, without keeping writers out.
        alter table public.wishlist_v2
        add constraint wishlist_status_check
        check (status in ('pending', 'converted', 'cancelled')) not valid;
    end if;
end
$$;

do $$
declare
    strangers bigint;
begin
    select count(*) into strangers
    from public.wishlist_v2
    where status not in ('pending', 'converted', 'cancelled');

    if strangers > 0 then
        raise warning
            'wishlist_v2: % rows have a status other than pending, converted, cancelled; the constraint holds for new rows and stays unvalidated until these are corrected',
            strangers;
    elsif exists (
        select 1
        from pg_constraint
        where
            conrelid = 'public.wishlist_v2'::regclass
            and conname = 'wishlist_status_check'
            and not convalidated
    ) then
        alter table public.wishlist_v2 validate constraint wishlist_status_check;
    end if;
end
$$;

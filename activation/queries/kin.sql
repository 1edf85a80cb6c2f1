-- Who is the same person by now, everybody their own kin (docs/decisions.md, "Persons").
create temporary table kin on commit drop as
select tenant_id, client_id, person_id, kin_id
from intermediate.int_clients_kin

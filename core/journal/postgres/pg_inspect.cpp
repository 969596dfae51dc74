#include "core/journal/postgres/pg_inspect.h"

#include "core/journal/postgres/pg_rows.h"

namespace hookswitch::pg {

Result<ServerFacts> InspectServer(const Place& place) {
  auto connection = Connection::Open(place);
  if (!connection) return std::move(connection).error();
  const auto found =
      (*connection)
          ->Run(
              "SELECT current_setting('server_version'), current_setting('synchronous_commit'), "
              "current_setting('synchronous_standby_names'), current_setting('fsync') = 'on', "
              "n.oid IS NOT NULL, has_database_privilege(current_database(), 'CREATE'), "
              "coalesce(has_schema_privilege(n.oid, 'CREATE'), false), "
              "coalesce((SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c "
              "WHERE c.relnamespace = n.oid AND c.relkind = 'r'), 0)::bigint "
              "FROM (SELECT convert_from($1, 'UTF8') AS name) s LEFT JOIN pg_namespace n ON n.nspname = s.name",
              Params().Add(place.schema));
  if (!found) return found.error();
  ServerFacts facts;
  facts.place = (*connection)->Description();
  facts.version = Text(*found, kFirstRow, 0);
  facts.version = facts.version.substr(0, facts.version.find(' '));
  facts.synchronous_commit = Text(*found, kFirstRow, 1);
  facts.synchronous_standbys = Text(*found, kFirstRow, 2);
  facts.syncs = found->Int(kFirstRow, 3) != 0;
  facts.has_schema = found->Int(kFirstRow, 4) != 0;
  facts.may_make_schema = found->Int(kFirstRow, 5) != 0;
  facts.may_write = facts.has_schema ? found->Int(kFirstRow, 6) != 0 : facts.may_make_schema;
  facts.bytes = found->Int(kFirstRow, 7);
  return facts;
}

}  // namespace hookswitch::pg

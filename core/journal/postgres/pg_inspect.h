#pragma once
#include <string>

#include "core/journal/postgres/pg_connection.h"

namespace hookswitch::pg {

/// What an operator should know of the server behind a journal.
struct ServerFacts {
  std::string place;                 ///< Connection::Description
  std::string version;               ///< "15.14"
  std::string synchronous_commit;    ///< as for our connections: "on", "off", "local", "remote_write", "remote_apply"
  std::string synchronous_standbys;  ///< synchronous_standby_names; "" if a commit waits for none
  bool syncs = true;                 ///< fsync
  bool has_schema = false;
  bool may_make_schema = false;  ///< CREATE on the database
  bool may_write = false;        ///< CREATE on the schema, or may_make_schema if there is none
  std::int64_t bytes = 0;        ///< of the schema's tables and indexes
};

/// Changes nothing. Errors: those of Connection.
Result<ServerFacts> InspectServer(const Place& place);

}  // namespace hookswitch::pg

#pragma once
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "tests/e2e/process.h"
#include "tests/sinks/free_port.h"

namespace hookswitch::test {

/// A PostgreSQL of its own, with the superuser "owner". The server refuses to run as root, so it becomes "postgres".
class Database {
 public:
  Database() {
    const std::string data = MakeFolder();
    const auto made = e2e::RunProgram(AsUser({Tool("initdb"), "-D", data, "-U", "owner", "--pwfile", dir_ / "password",
                                              "--auth=scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"}));
    EXPECT_EQ(made.exit_code, 0) << made.err;
    Start();
  }
  /// A standby of `primary`, which commits synchronously to it from now on: what it has acknowledged is here too.
  explicit Database(const Database& primary) {
    const std::string data = MakeFolder();
    const auto made = e2e::RunProgram(
        AsUser({Tool("pg_basebackup"), "-D", data, "-d", primary.Conninfo(), "-R", "-X", "stream", "-c", "fast"}));
    EXPECT_EQ(made.exit_code, 0) << made.err;
    Start();
    primary.Query("ALTER SYSTEM SET synchronous_standby_names = '*'");
    primary.Query("SELECT pg_reload_conf()");
  }
  ~Database() { Stop(); }
  Database& operator=(const Database&) = delete;

  void Start() {
    // Another program may take a free port first.
    for (int tries = 0; tries < 5; ++tries) {
      if (port_ == 0) port_ = FreePort();
      server_ = std::make_unique<e2e::Child>(AsUser(
          {Tool("postgres"), "-D", dir_ / "data", "-p", std::to_string(port_), "-c", "listen_addresses=127.0.0.1", "-c",
           "unix_socket_directories=", "-c", "fsync=off", "-c", "client_min_messages=warning"}));
      if (server_->WaitForLine("ready to accept", std::chrono::seconds(20))) return;
      port_ = 0;
    }
    ADD_FAILURE() << "the server did not start";
  }
  /// Ends it as a loss of power does, but for the disk.
  void Crash() { Stop(SIGQUIT); }
  /// Makes a standby the primary.
  void Promote() const { EXPECT_EQ(Query("SELECT pg_promote()"), "t"); }
  void Stop(int signal = SIGINT) {
    if (!server_) return;
    server_->Signal(signal);
    server_->WaitForExit(std::chrono::seconds(20));
    server_.reset();
  }
  std::string Port() const { return std::to_string(port_); }
  std::string Conninfo(const std::string& user = "owner", const std::string& password = "s3cret",
                       const std::string& name = "postgres") const {
    return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + user + " password=" + password +
           " dbname=" + name;
  }
  /// The first row of what `sql` gives, its columns with "|" between; "" if there is none.
  std::string Query(const std::string& sql) const {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(Conninfo().c_str()), &PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()), &PQclear);
    const auto status = PQresultStatus(result.get());
    EXPECT_TRUE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) << PQerrorMessage(connection.get());
    std::string row;
    for (int i = 0; PQntuples(result.get()) > 0 && i < PQnfields(result.get()); ++i) {
      row += (i == 0 ? "" : "|") + std::string(PQgetvalue(result.get(), 0, i));
    }
    return row;
  }

 private:
  /// An empty folder of the server's user; returns its path.
  std::string MakeFolder() {
    const std::string data = dir_ / "data";
    e2e::WriteFile(dir_ / "password", "s3cret\n");
    std::filesystem::create_directory(data);
    std::filesystem::permissions(data, std::filesystem::perms::owner_all);
    if (::geteuid() == 0) {
      const passwd* user = ::getpwnam("postgres");
      HSW_CHECK(user, "Debian's PostgreSQL brings its user");
      std::filesystem::permissions(std::filesystem::path(data).parent_path(),
                                   std::filesystem::perms::owner_all | std::filesystem::perms::others_exec);
      for (const std::string& file : {data, dir_ / "password"}) {
        HSW_CHECK(::chown(file.c_str(), user->pw_uid, user->pw_gid) == 0, "root may");
      }
    }
    return data;
  }
  static std::string Tool(const std::string& name) {
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql")) {
      if (const auto tool = version.path() / "bin" / name; std::filesystem::exists(tool)) return tool;
    }
    return name;
  }
  static std::vector<std::string> AsUser(std::vector<std::string> command) {
    if (::geteuid() != 0) return command;
    // A change of user forgets the signal that comes when the test program dies.
    std::vector<std::string> all{"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
                                 "--pdeathsig=INT"};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }

  e2e::TempDir dir_;
  int port_ = 0;
  std::unique_ptr<e2e::Child> server_;
};

}  // namespace hookswitch::test

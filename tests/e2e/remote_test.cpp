#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include "core/base/json.h"
#include "tests/e2e/router.h"
#include "tests/e2e/small_disk.h"
#include "tests/fakes/http_loop.h"
#include "tests/fakes/raw_client.h"
#include "tests/sinks/free_port.h"

namespace hookswitch::e2e {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A running router whose admin listener wants a token, and its operator's shell.
class Remote : public testing::Test {
 protected:
  Remote() {
    config_.Slack("ops", slack_.Url());
    WriteFile(dir_ / "token", "the-admin-token");
    good_ = config_.Text();
    const std::string open = "admin: {listen: \"127.0.0.1:0\"}";
    good_.replace(good_.find(open), open.size(),
                  "admin: {listen: \"127.0.0.1:0\", token: {file: " + (dir_ / "token") + "}}");
    WriteFile(config_.Path(), good_);
    router_ = std::make_unique<Router>(config_.Path());
  }
  Finished Hookswitch(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) const {
    arguments.insert(arguments.begin(), Program());
    arguments.insert(arguments.end(),
                     {"-c", config_.Path(), "--url", "http://127.0.0.1:" + std::to_string(router_->Admin())});
    return RunProgram(arguments, environment);
  }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::string good_;
  std::unique_ptr<Router> router_;
};

TEST_F(Remote, AnAssistantReadsOverStdioWithATokenOfItsOwn) {
  ASSERT_TRUE(router_->Ready());
  WriteFile(dir_ / "messages",
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{}}\n\n"
            "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"
            "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"list_sinks\"}}\n");
  const auto ask = [&](const std::string& token) {
    const std::string url = "http://127.0.0.1:" + std::to_string(router_->Admin());
    return RunProgram({"/bin/sh", "-c", "exec \"$0\" mcp -c \"$1\" --url \"$2\" < \"$3\"", Program(), config_.Path(),
                       url, dir_ / "messages"},
                      {"HOOKSWITCH_MCP_TOKEN=" + token});
  };
  const Finished good = ask("the-admin-token");
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, ContainsRegex("\"id\":1,.*\n.*\"id\":2,.*ops.*\n$"));
  EXPECT_EQ(std::ranges::count(good.out, '\n'), 2) << "nothing else on stdout";
  EXPECT_THAT(ask("a-guess").out, HasSubstr("HOOKSWITCH_MCP_TOKEN"));
}

TEST_F(Remote, SinksAreListedPausedAndResumed) {
  ASSERT_TRUE(router_->Ready());
  const Finished list = Hookswitch({"sinks"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_THAT(list.out, ContainsRegex("\nops +open +0 "));
  EXPECT_THAT(list.out, StartsWith("SINK ")) << "a heading";
  EXPECT_THAT(Hookswitch({"sinks", "show", "ops"}).out, StartsWith("sink       ops\nstate      open\n"));
  const Finished none = Hookswitch({"sinks", "show", "opps"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.err, HasSubstr("did you mean \"ops\"?"));
  const Finished paused = Hookswitch({"sinks", "pause", "ops"});
  EXPECT_EQ(paused.exit_code, 0) << paused.err;
  EXPECT_EQ(paused.out, "ops: paused\n");
  EXPECT_THAT(Hookswitch({"sinks"}).out, ContainsRegex("\nops +paused +0 "));
  const Finished resumed = Hookswitch({"sinks", "resume", "ops", "--format", "json"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  json::error_code error;
  EXPECT_TRUE(json::parse(resumed.out, error).is_object() && !error) << "one document: " << resumed.out;
}

TEST_F(Remote, SinksAreWatchedPictureByPicture) {
  ASSERT_TRUE(router_->Ready());
  const Finished watched = Hookswitch({"sinks", "--watch", "--every", "1ms", "--count", "2"});
  EXPECT_EQ(watched.exit_code, 0) << watched.err;
  EXPECT_THAT(watched.out, ContainsRegex("\nSINK +STATE +WAITING .*\nops +open +0 .*\n\n.*\nSINK .*\nops +open "));
  EXPECT_THAT(watched.out, Not(HasSubstr("\x1b"))) << "no terminal";
  const Finished lines = Hookswitch({"sinks", "--watch", "--every", "1ms", "--count", "2", "--format", "json"});
  EXPECT_EQ(std::ranges::count(lines.out, '\n'), 2) << lines.out;
  EXPECT_EQ(Hookswitch({"sinks", "--count", "2"}).exit_code, 2) << "only with --watch";
}

TEST_F(Remote, StatusSaysWhatNeedsAttention) {
  ASSERT_TRUE(router_->Ready());
  const Finished fine = Hookswitch({"status"});
  EXPECT_EQ(fine.exit_code, 0) << fine.out << fine.err;
  EXPECT_THAT(fine.out, ContainsRegex("\nbolna +- +-"));
  EXPECT_THAT(fine.out, HasSubstr("\nnothing needs attention\n"));

  slack_.Behave("/services/T0/B0/x1",
                {.mode = SlackBehaviour::Mode::kStatus, .status = 400, .word = "invalid_payload"});
  ASSERT_EQ(router_->Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(router_->WaitForEvent("delivery_dead")) << router_->Log();
  const Finished dead = Hookswitch({"status"});
  EXPECT_EQ(dead.exit_code, 1);
  EXPECT_THAT(dead.out, ContainsRegex("\nbolna +([0-9]+s ago|now) +01"));
  EXPECT_THAT(dead.out, HasSubstr("needs attention:\n  there are dead deliveries"));

  const Finished told = Hookswitch({"status", "--format", "json"});
  EXPECT_EQ(told.exit_code, 1);
  json::error_code error;
  const json::value all = json::parse(told.out, error);
  ASSERT_TRUE(all.is_object() && !error) << told.out;
  ASSERT_EQ(all.at("problems").as_array().size(), 1U) << told.out;
  EXPECT_EQ(all.at("problems").at(0).at("name"), "ops");
  EXPECT_TRUE(all.at("sources").at(0).at("last_event_at").is_string());
}

TEST_F(Remote, NoProxyOfTheEnvironmentGetsTheToken) {
  ASSERT_TRUE(router_->Ready());
  std::atomic<int> asked{0};
  const auto proxy = fakes::HttpLoop::Start([&](const fakes::HttpRequest&) {
    ++asked;
    return fakes::HttpReply{};
  });
  std::vector<std::string> environment;
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    environment.push_back(std::string(name) + "=http://127.0.0.1:" + std::to_string((*proxy)->Port()));
  }
  const std::vector<std::vector<std::string>> commands = {
      {"sinks"}, {"sinks", "pause", "ops"}, {"events"}, {"deliveries"}, {"reload"}};
  for (const auto& command : commands) {
    const Finished done = Hookswitch(command, environment);
    EXPECT_EQ(done.exit_code, 0) << command[0] << ": " << done.err;
  }
  EXPECT_EQ(asked, 0);
}

TEST_F(Remote, PausingASinkThatIsNotThereIsOne) {
  ASSERT_TRUE(router_->Ready());
  const Finished paused = Hookswitch({"sinks", "pause", "osp"});
  EXPECT_EQ(paused.exit_code, 1);
  EXPECT_EQ(paused.out, "");
  EXPECT_THAT(paused.err, HasSubstr("not_found"));
}

TEST_F(Remote, ANameIsOneSegmentOfAPathWhateverItIs) {
  ASSERT_TRUE(router_->Ready());
  for (const char* name : {"../reload?x=", "../../v1/reload?", "..", ".", "ops/../ops", "ops/pause?x=", "%2e%2e/reload",
                           "ops#", "ops?", "ops\r\nX: y", "", " "}) {
    for (const std::vector<std::string>& command : {std::vector<std::string>{"sinks", "pause", name},
                                                    {"sinks", "resume", name},
                                                    {"events", "show", name},
                                                    {"deliveries", "show", name}}) {
      const Finished finished = Hookswitch(command);
      EXPECT_EQ(finished.exit_code, 1) << command[0] << ' ' << command[1] << ' ' << name << finished.out
                                       << finished.err;
      EXPECT_THAT(finished.err, HasSubstr("not_found"));
    }
    for (const char* what : {"deliveries", "events"}) {
      EXPECT_NE(Hookswitch({what, "replay", name}).exit_code, 0) << what << ' ' << name;
    }
  }
  EXPECT_THAT(Hookswitch({"sinks"}).out, ContainsRegex("\nops +open +0 "));
  EXPECT_EQ(Hookswitch({"reload"}).out, "reloaded: generation 2\n") << "none of them was a reload";
}

TEST_F(Remote, APauseHasAnEndAndAReasonAndEndsByItself) {
  ASSERT_TRUE(router_->Ready());
  const Finished paused = Hookswitch({"sinks", "pause", "ops", "--until", "2h", "--because", "carrier maintenance"});
  EXPECT_EQ(paused.exit_code, 0) << paused.err;
  EXPECT_THAT(paused.out, HasSubstr("ops: paused until 20"));
  const Finished list = Hookswitch({"sinks"});
  EXPECT_THAT(list.out, ContainsRegex("\nops +paused +0 +- +in 1h "));
  EXPECT_THAT(list.out, HasSubstr("carrier maintenance"));
  const Finished evening = Hookswitch({"sinks", "pause", "ops", "--until", "18:00"});
  EXPECT_EQ(evening.exit_code, 0) << evening.err;
  EXPECT_THAT(evening.out, ContainsRegex("ops: paused until 20..-..-.. 18:00:00 UTC .in "));
  for (const char* until : {"soon", "25:00", "0s", "2020-01-01T00:00:00Z"}) {
    const Finished wrong = Hookswitch({"sinks", "pause", "ops", "--until", until});
    EXPECT_EQ(wrong.exit_code, 2) << until;
    EXPECT_THAT(wrong.err, HasSubstr("until")) << until;
  }
  ASSERT_EQ(Hookswitch({"sinks", "pause", "ops", "--until", "300ms"}).exit_code, 0);
  ASSERT_EQ(router_->Post(Call(CallId(1))).status, 200);
  EXPECT_TRUE(slack_.WaitForPosted(1));
  // Its record and the snapshot of the lanes follow.
  const auto until = std::chrono::steady_clock::now() + seconds(20);
  const auto delivered = ContainsRegex("\nops +open +0 ");
  std::string shown;
  do {
    shown = Hookswitch({"sinks"}).out;
  } while (!testing::Value(shown, delivered) && std::chrono::steady_clock::now() < until);
  EXPECT_THAT(shown, delivered);
}

TEST_F(Remote, ATimeOfDayIsOneOfTheConfigsZone) {
  ASSERT_TRUE(router_->Ready());
  WriteFile(config_.Path(), good_ + "defaults: {timezone: Asia/Kolkata}\n");
  const Finished paused = Hookswitch({"sinks", "pause", "ops", "--until", "18:00"});
  EXPECT_EQ(paused.exit_code, 0) << paused.err;
  EXPECT_THAT(paused.out, HasSubstr(" 18:00:00 +05:30 (in "));
}

TEST_F(Remote, ResumeSaysHowItWent) {
  ASSERT_TRUE(router_->Ready());
  const Finished idle = Hookswitch({"sinks", "resume", "ops"});
  EXPECT_EQ(idle.exit_code, 0) << idle.err;
  EXPECT_EQ(idle.out, "ops: resumed; nothing waits, so nothing was tried\n");

  slack_.Behave({.mode = SlackBehaviour::Mode::kStatus, .status = 404, .word = "no_service"});
  ASSERT_EQ(router_->Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(router_->WaitForEvent("lane_paused"));
  const Finished broken = Hookswitch({"sinks", "resume", "ops"});
  EXPECT_EQ(broken.exit_code, 1) << broken.out;
  EXPECT_THAT(broken.err, HasSubstr("ops: resumed, but it still fails: "));
  EXPECT_THAT(broken.err, HasSubstr("no_service"));

  slack_.Behave({});
  const Finished mended = Hookswitch({"sinks", "resume", "ops"});
  EXPECT_EQ(mended.exit_code, 0) << mended.err;
  EXPECT_EQ(mended.out, "ops: resumed, and it works\n");
}

TEST_F(Remote, WhoHasNoTokenIsToldWhereItIsLookedFor) {
  ASSERT_TRUE(router_->Ready());
  WriteFile(config_.Path(), "rules: [\n");
  const Finished broken = Hookswitch({"sinks"});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.err, HasSubstr("HOOKSWITCH_ADMIN_TOKEN"));
  EXPECT_THAT(broken.err, HasSubstr("has errors"));
  EXPECT_EQ(Hookswitch({"sinks"}, {"HOOKSWITCH_ADMIN_TOKEN=the-admin-token"}).exit_code, 0);
  const Finished wrong = Hookswitch({"events"}, {"HOOKSWITCH_ADMIN_TOKEN=another"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("refuses the token, which is that of HOOKSWITCH_ADMIN_TOKEN"));
  EXPECT_THAT(wrong.err, Not(HasSubstr("another")));
  std::filesystem::remove(config_.Path());
  EXPECT_THAT(Hookswitch({"reload"}).err, HasSubstr("no such file"));
}

TEST_F(Remote, ATokenThatTheRouterHasNotReadYetKeepsNobodyOut) {
  ASSERT_TRUE(router_->Ready());
  WriteFile(dir_ / "token", "the-next-token");
  const Finished refused = Hookswitch({"reload"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, testing::AllOf(HasSubstr("admin.token of "), HasSubstr("set HOOKSWITCH_ADMIN_TOKEN")));
  EXPECT_EQ(Hookswitch({"reload"}, {"HOOKSWITCH_ADMIN_TOKEN=the-admin-token"}).exit_code, 0);
  EXPECT_EQ(Hookswitch({"reload"}).exit_code, 0);
}

TEST_F(Remote, AnAddressIsTakenWithASlashAndOneThatIsNoneIsWrongUsage) {
  ASSERT_TRUE(router_->Ready());
  const auto sinks = [this](const std::string& url) {
    return RunProgram({Program(), "sinks", "-c", config_.Path(), "--url", url});
  };
  const std::string address = "127.0.0.1:" + std::to_string(router_->Admin());
  EXPECT_EQ(sinks("http://" + address + "/").exit_code, 0);
  EXPECT_EQ(sinks(address).exit_code, 2);
  EXPECT_EQ(sinks("htp://" + address).exit_code, 2);
}

/// An admin API that answers what a router with much in its journal, or a damaged one, would.
struct Admin {
  explicit Admin(std::map<std::string, std::string> bodies) : answers(std::move(bodies)) {
    auto started = fakes::HttpLoop::Start([this](const fakes::HttpRequest& request) {
      const auto found = answers.find(std::string(request.target));
      fakes::HttpReply reply;
      reply.status = found == answers.end() ? 404 : 200;
      reply.body = found == answers.end() ? "{}" : found->second;
      return reply;
    });
    if (started) server = std::move(*started);
  }
  Finished Status() const {
    return RunProgram({Program(), "status", "--url", "http://127.0.0.1:" + std::to_string(server->Port())});
  }

  std::map<std::string, std::string> answers;
  std::unique_ptr<fakes::HttpLoop> server;
};

TEST(RemoteStatus, FollowsPagesWithNothingInThem) {
  const Admin admin(
      {{"/api/v1/status", R"({"version":"1","sources":["quiet"],"journal":{"bytes_on_disk":92078080},"problems":[]})"},
       {"/api/v1/sinks", R"({"sinks":[]})"},
       {"/api/v1/events?limit=1&source=quiet", R"({"events":[],"cursor":"9"})"},
       {"/api/v1/events?limit=1&source=quiet&cursor=9",
        R"({"events":[{"id":"01ABC","received_at":"2026-03-04T09:02:03Z"}],"cursor":null})"}});
  const Finished status = admin.Status();
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_THAT(status.out, ContainsRegex("quiet +[0-9]+d ago +01ABC"));
  EXPECT_THAT(status.out, HasSubstr("87.8 MiB on disk"));
  EXPECT_THAT(status.out, HasSubstr("nothing needs attention"));
}

TEST(RemoteStatus, SaysWhatTheRouterSaysNeedsAttention) {
  const Admin admin({{"/api/v1/status", R"({"version":"1","sources":[],"journal":{},"problems":[
                         {"severity":"error","kind":"sink","name":"ops","since":"2026-03-04T09:02:03Z","until":null,
                          "text":"ops is failing: it is \u001b[31mdown","hint":"it is tried again by itself"},
                         {"severity":"warning","kind":"sink","name":"mail","since":null,"until":"2026-03-04T18:00:00Z",
                          "text":"mail is paused by the operator","hint":"`hookswitch sinks resume mail` ends it"}]})"},
                     {"/api/v1/sinks", R"({"sinks":[]})"}});
  const Finished status = admin.Status();
  EXPECT_EQ(status.exit_code, 1);
  EXPECT_THAT(status.out, ContainsRegex("\nneeds attention:\n  ops is failing: it is .x1b.31mdown .since [0-9]+d ago.\n"
                                        "    it is tried again by itself\n"
                                        "  mail is paused by the operator .until 2026-03-04 18:00:00.\n"
                                        "    `hookswitch sinks resume mail` ends it\n"));
}

TEST_F(Remote, AConfigThatIsNotThereIsNamedWithWhatToDo) {
  const std::string nowhere = dir_ / "nowhere.yaml";
  const Finished sinks = RunProgram({Program(), "sinks", "-c", nowhere});
  EXPECT_EQ(sinks.exit_code, 1);
  const Finished backup = RunProgram({Program(), "backup", "-c", nowhere, dir_ / "copy.db"});
  EXPECT_EQ(backup.exit_code, 2);
  EXPECT_THAT(backup.err, HasSubstr("--file"));
  const Finished verify = RunProgram({Program(), "journal", "verify", "-c", nowhere});
  EXPECT_EQ(verify.exit_code, 2);
  EXPECT_THAT(verify.err, HasSubstr("--file"));
  for (const Finished& finished : {sinks, backup, verify}) {
    EXPECT_THAT(finished.err, HasSubstr("no such file"));
    EXPECT_THAT(finished.err, HasSubstr(nowhere));
    EXPECT_THAT(finished.err, HasSubstr("-c"));
  }
}

TEST_F(Remote, ABackupNeedsNoConfigIfItIsToldTheJournal) {
  ASSERT_TRUE(router_->Ready());
  const Finished backup =
      RunProgram({Program(), "backup", "-c", dir_ / "nowhere.yaml", "--file", dir_ / "journal.db", dir_ / "copy.db"});
  EXPECT_EQ(backup.exit_code, 0) << backup.err;
  const Finished verify =
      RunProgram({Program(), "journal", "verify", "-c", dir_ / "nowhere.yaml", "--file", dir_ / "copy.db"});
  EXPECT_EQ(verify.exit_code, 0) << verify.err;
}

TEST_F(Remote, RefusedRequestsAreListed) {
  ASSERT_TRUE(router_->Ready());
  ASSERT_EQ(router_->Post("{", {}, "/bolna/webhook").status, 400);
  ASSERT_EQ(router_->Post("{}", {}, "/bolna/webhok").status, 404);
  Finished list;
  do {  // they are stored with the next commit
    list = Hookswitch({"events", "--refused"});
  } while (list.exit_code == 0 && list.out.find("/bolna/webhok") == std::string::npos);
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_THAT(list.out, HasSubstr("invalid_json"));
  EXPECT_THAT(list.out, HasSubstr("404"));
  const Finished one = Hookswitch({"events", "--refused", "--source", "bolna", "--format", "json"});
  json::error_code error;
  const json::value shown = json::parse(one.out, error);
  ASSERT_FALSE(error) << one.out;
  ASSERT_EQ(shown.at("refused").as_array().size(), 1u);
  EXPECT_EQ(shown.at("refused").at(0).at("error"), "invalid_json");
  EXPECT_EQ(Hookswitch({"events", "--refused", "--agent", "a"}).exit_code, 2);
}

TEST_F(Remote, ReloadSaysTheGenerationOrEveryProblem) {
  ASSERT_TRUE(router_->Ready());
  const Finished reloaded = Hookswitch({"reload"});
  EXPECT_EQ(reloaded.exit_code, 0) << reloaded.err;
  EXPECT_EQ(reloaded.out, "reloaded: generation 2\n");

  std::string broken = good_;
  broken.replace(broken.find("rules:"), 6, "rulez:");
  WriteFile(config_.Path(), broken);
  const Finished refused = Hookswitch({"reload"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("\"rulez\""));
  EXPECT_THAT(refused.err, HasSubstr("did you mean \"rules\""));
  EXPECT_THAT(refused.err, HasSubstr("generation 2 stays in use"));
}

TEST_F(Remote, ABodylessPostIsEnoughForTheAdminApi) {
  ASSERT_TRUE(router_->Ready());
  RawClient client(router_->Admin());
  ASSERT_TRUE(
      client.Send("POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer the-admin-token\r\n\r\n"));
  EXPECT_EQ(client.Receive().status, 200);
}

TEST_F(Remote, WhatChangesNothingIsNotLoggedAsAChange) {
  ASSERT_TRUE(router_->Ready());
  const auto post = [this](const std::string& path) {
    return fakes::Fetch(router_->Admin(), "POST", path, "", {{"Authorization", "Bearer the-admin-token"}}).status;
  };
  EXPECT_EQ(post("/api/v1/session"), 200);
  EXPECT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/explain", R"({"body": "{}"})",
                         {{"Authorization", "Bearer the-admin-token"}})
                .status,
            422);
  EXPECT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/explain", ToText(json::object{{"body", Call(CallId(1))}}),
                         {{"Authorization", "Bearer the-admin-token"}})
                .status,
            200);
  EXPECT_EQ(post("/api/v1/sinks/opps/pause"), 404);
  EXPECT_EQ(post("/api/v1/reload"), 200);
  const auto logged = router_->WaitForEvent("operator_request");
  ASSERT_TRUE(logged);
  EXPECT_THAT(*logged, testing::AllOf(HasSubstr("/api/v1/reload"), HasSubstr("\"http_status\":200")));
}

TEST(PluginReceive, TakesWhatASinkMaySendAndAnswersWithoutABodyWhereHttpHasNone) {
  const int port = test::FreePort();
  RawAnswer answer;
  std::thread sender([&] {
    const auto until = std::chrono::steady_clock::now() + seconds(20);
    while (answer.status == 0 && std::chrono::steady_clock::now() < until) {
      fakes::RawClient client(static_cast<std::uint16_t>(port));
      if (!client.Connected()) continue;
      client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\n\r\n" + std::string(2 << 20, 'x'));
      answer = client.Receive();
    }
  });
  const Finished receive = RunProgram({Program(), "plugin", "receive", "--listen", "127.0.0.1:" + std::to_string(port),
                                       "--answer", "204", "--count", "1"});
  sender.join();
  EXPECT_EQ(receive.exit_code, 0) << receive.err;
  EXPECT_THAT(receive.out, HasSubstr("2097152 bytes"));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.body, "");
}

TEST_F(Remote, WrongTokensAreLogged) {
  ASSERT_TRUE(router_->Ready());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(fakes::Fetch(router_->Admin(), "GET", "/api/v1/status", "", {{"Authorization", "Bearer guess"}}).status,
              401);
  }
  EXPECT_TRUE(router_->WaitForEvent("admin_refused"));
  const fakes::HeaderList token{{"Authorization", "Bearer the-admin-token"}};
  EXPECT_THAT(fakes::Fetch(router_->Admin(), "GET", "/metrics", "", token).body,
              HasSubstr("hookswitch_admin_refused_total{reason=\"wrong_token\"} 3"));
}

/// A router that its operator reaches by a unix socket.
class Socket : public testing::Test {
 protected:
  Socket() { config_.Slack("ops", slack_.Url()); }
  void Start(const std::string& listen) {
    WriteFile(dir_ / "token", "the-admin-token");
    config_.admin = "{listen: " + listen + ", token: {file: " + (dir_ / "token") + "}}";
    router_ = std::make_unique<Router>(config_.Write());
  }
  Finished Hookswitch(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), Program());
    arguments.insert(arguments.end(), {"-c", config_.Path()});
    return RunProgram(arguments);
  }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  const std::string socket_ = "unix:" + (dir_ / "admin.sock");
  std::unique_ptr<Router> router_;
};

TEST_F(Socket, IsWhereCommandsGoIfTheConfigListsNothingElse) {
  Start('"' + socket_ + '"');
  ASSERT_TRUE(router_->Ready());
  EXPECT_THAT(Hookswitch({"sinks"}).out, ContainsRegex("\nops +open +0 "));
  const Finished paused = Hookswitch({"sinks", "pause", "ops"});
  EXPECT_EQ(paused.exit_code, 0) << paused.err;
  const auto line = router_->WaitForEvent("operator_request");
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, Not(HasSubstr("\"who\":\"\""))) << "the socket knows its user";
  EXPECT_THAT(*line, HasSubstr("/api/v1/sinks/ops/pause"));
}

TEST_F(Socket, StandsBesideOtherAddressesAndNeedsNoToken) {
  Start("[\"127.0.0.1:0\", \"" + socket_ + "\"]");
  ASSERT_TRUE(router_->Ready());
  EXPECT_EQ(fakes::Fetch(router_->Admin(), "GET", "/api/v1/sinks").status, 401);
  std::filesystem::remove(dir_ / "token");
  const Finished list = Hookswitch({"sinks", "--url", socket_});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_THAT(list.out, ContainsRegex("\nops +open +0 "));
  namespace fs = std::filesystem;
  EXPECT_EQ(fs::status(dir_ / "admin.sock").permissions(),
            fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read | fs::perms::group_write);
  const Finished nobody = Hookswitch({"sinks", "--url", "unix:" + (dir_ / "other.sock")});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("other.sock"));
}

TEST_F(Socket, AnotherAddressNeedsARestart) {
  Start('"' + socket_ + '"');
  ASSERT_TRUE(router_->Ready());
  config_.admin = "{listen: [\"" + socket_ + "\", \"127.0.0.1:0\"], token: {file: " + (dir_ / "token") + "}}";
  config_.Write();
  const Finished reloaded = Hookswitch({"reload", "--url", socket_});
  EXPECT_EQ(reloaded.exit_code, 0) << reloaded.err;
  EXPECT_THAT(reloaded.out, HasSubstr("needs a restart to take effect: admin.listen"));
}

TEST(RemoteDisk, APauseThatCannotBeStoredSaysSoAndIsOne) {
  SmallDisk disk(16);
  if (!disk.Mounted()) GTEST_SKIP() << "no disk can be mounted here";
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  config.journal = "{path: " + (disk / "journal.db") + "}";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  ASSERT_TRUE(router.WaitForEvent("delivery_delivered"));
  const auto run = [&](const char* verb) {
    return RunProgram({Program(), "sinks", verb, "ops", "-c", config.Path(), "--url",
                       "http://127.0.0.1:" + std::to_string(router.Admin())});
  };
  Finished paused;
  // At first the journal may find room that its own files had.
  std::size_t runs = 0;
  for (; runs < 50 && paused.exit_code != 1; ++runs) {
    disk.Fill();
    paused = run("pause");
  }
  EXPECT_EQ(paused.exit_code, 1) << paused.out;
  EXPECT_THAT(paused.err, HasSubstr("not_stored: the sink is paused, but that could not be stored"));
  EXPECT_THAT(router.Get("/api/v1/sinks").body, HasSubstr("\"state\":\"paused\"")) << "it is paused all the same";
  ASSERT_TRUE(router.WaitForEvents("operator_request", runs));
  EXPECT_THAT(router.Log(), ContainsRegex("\"operator_request\".*\"http_status\":503"));
  disk.Free();
  Finished resumed;
  do {  // the journal tries again now and then
    resumed = run("resume");
  } while (resumed.err.find("not_stored") != std::string::npos);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
}

}  // namespace
}  // namespace hookswitch::e2e

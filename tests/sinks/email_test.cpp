// The email sink against a real mail server, which reads each mail with a parser of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "core/base/json.h"
#include "core/conformance/cases.h"
#include "tests/e2e/process.h"
#include "tests/http/raw_server.h"
#include "tests/http/tls_server.h"
#include "tests/sinks/load_sink.h"
#include "tests/sinks/random_message.h"
#include "tests/sinks/scripted_mail_server.h"

namespace hookswitch {
namespace {

using ScriptedServer = test::ScriptedMailServer;
using testing::HasSubstr;
using testing::Not;

/// aiosmtpd, of Debian.
class MailServer {
 public:
  explicit MailServer(std::vector<std::string> options = {}) : child_(Command(std::move(options))) {
    const auto line = child_.WaitForLine("listening ", std::chrono::seconds(20));
    if (line) port_ = line->substr(line->rfind(' ') + 1);
  }
  /// "localhost:PORT"; the port is empty if it did not come up.
  std::string Address() const { return "localhost:" + port_; }
  /// The `number`th mail that it took, from 0.
  json::object Mail(std::size_t number = 0) const {
    if (!child_.WaitForLines("mail {", number + 1, std::chrono::seconds(20))) return {};
    for (const auto& line : child_.Lines()) {
      if (line.starts_with("mail {") && number-- == 0) return json::parse(line.substr(5)).as_object();
    }
    return {};
  }
  bool HasMail() const { return child_.WaitForLine("mail {", std::chrono::milliseconds(0)).has_value(); }

 private:
  static std::vector<std::string> Command(std::vector<std::string> options) {
    std::vector<std::string> command{"/usr/bin/python3", std::string(HSW_SOURCE_DIR) + "/tests/sinks/smtp_server.py"};
    command.insert(command.end(), options.begin(), options.end());
    return command;
  }
  e2e::Child child_;
  std::string port_;
};

class EmailSink : public testing::Test {
 protected:
  EmailSink() {
    event_.id = "01JD0000000000000000000000";
    event_.call_id = "call-1";
    message_.title = "Bolna call ended: completed";
    message_.severity = Severity::kSuccess;
    message_.fields = {{"Agent", "Maya"}, {"Duration", "1m 13s"}};
    message_.text = "A <summary> & more";
    message_.links = {{"Recording", "https://example.com/r?a=1&b=2"}};
    message_.transcript = "Agent: Hello.\nUser: 你好 </div><script>alert(1)</script>\n.\nEnd";
  }
  static std::shared_ptr<Sink> Make(const json::object& config) {
    json::object all{{"security", "none"}, {"from", "Calls <calls@example.com>"}, {"to", {"ops@example.com"}}};
    for (const auto& [key, value] : config) all[key] = value;
    EXPECT_EQ(test::ProblemsOf("email", ToText(all)), "");
    auto sink = test::LoadSink("email", ToText(all));
    EXPECT_TRUE(sink) << sink.error().message;
    return sink ? *sink : nullptr;
  }
  Outcome Deliver(Sink& sink, std::chrono::milliseconds timeout, const std::string& id = "d-7f") const {
    return sink.Deliver({event_, message_, id, "ops", "all", 1, 0, "", ""}, timeout, [] { return false; });
  }
  Outcome Deliver(const json::object& config, const std::string& memory = "",
                  std::chrono::milliseconds timeout = std::chrono::seconds(10), const std::string& state = "") {
    const auto sink = Make(config);
    if (!sink) return {};
    const SinkDelivery delivery{event_, message_, "d-7f", "ops", "all", 1, state.empty() ? 0U : 1U, state, memory};
    return sink->Deliver(delivery, timeout, [] { return false; });
  }
  /// Writes a certificate for "localhost" and its key; the path.
  std::string CertificateFile() {
    e2e::WriteFile(dir_ / "cert.pem", certificate_.Pem() + certificate_.KeyPem());
    return dir_ / "cert.pem";
  }
  static std::string Header(const json::object& mail, std::string_view name) {
    const auto* value = mail.at("headers").as_object().if_contains(name);
    return value ? std::string(std::string_view(value->as_string())) : "(none)";
  }
  static std::string Text(const json::object& mail, std::string_view key) {
    return std::string(std::string_view(mail.at(key).as_string()));
  }

  CallEvent event_;
  Message message_;
  e2e::TempDir dir_;
  Certificate certificate_ = Certificate::For("localhost");
};

TEST_F(EmailSink, SendsTextAndHtmlToAllRecipients) {
  const MailServer server;
  const auto outcome = Deliver({{"server", server.Address()}, {"to", {"Ops <ops@example.com>", "b@example.com"}}});
  ASSERT_EQ(outcome.kind, Outcome::Kind::kDelivered) << outcome.reason;
  EXPECT_EQ(outcome.remote_id, "<01JD0000000000000000000000.d-7f@example.com>");
  const auto mail = server.Mail();
  EXPECT_EQ(Text(mail, "from"), "calls@example.com");
  EXPECT_EQ(mail.at("to"), json::array({"ops@example.com", "b@example.com"}));
  EXPECT_EQ(Header(mail, "Subject"), "Bolna call ended: completed");
  EXPECT_EQ(Header(mail, "From"), "Calls <calls@example.com>");
  EXPECT_EQ(Header(mail, "To"), "Ops <ops@example.com>, b@example.com");
  EXPECT_EQ(Header(mail, "Date"), "Thu, 01 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(Header(mail, "Message-ID"), outcome.remote_id);
  EXPECT_EQ(Header(mail, "In-Reply-To"), "(none)");
  EXPECT_EQ(mail.at("defects"), json::array{});
  EXPECT_EQ(Text(mail, "text"),
            "Bolna call ended: completed\n\nAgent: Maya\nDuration: 1m 13s\n\nA <summary> & more\n\n"
            "Recording: https://example.com/r?a=1&b=2\n\nTranscript\n----------\n" +
                message_.transcript + "\n");
  const auto html = Text(mail, "html");
  EXPECT_THAT(html, HasSubstr("A &lt;summary&gt; &amp; more"));
  EXPECT_THAT(html, HasSubstr("<a href=\"https://example.com/r?a=1&amp;b=2\">Recording</a>"));
  EXPECT_THAT(html, HasSubstr("你好 &lt;/div&gt;&lt;script&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
}

TEST_F(EmailSink, NothingInAMessageBecomesAHeader) {
  const MailServer server;
  message_.title = "Ended\r\nBcc: everyone@example.com\r\n\r\n<b>你好</b> " + std::string(120, 'x');
  ASSERT_EQ(Deliver({{"server", server.Address()}, {"from", "Ops, \"and\" 你好 <calls@example.com>"}}).kind,
            Outcome::Kind::kDelivered);
  const auto mail = server.Mail();
  EXPECT_EQ(Header(mail, "Bcc"), "(none)");
  EXPECT_EQ(mail.at("to"), json::array({"ops@example.com"}));
  EXPECT_THAT(Header(mail, "Subject"), HasSubstr("Bcc: everyone@example.com"));
  EXPECT_THAT(Header(mail, "Subject"), HasSubstr("<b>你好</b> xxx"));
  EXPECT_EQ(mail.at("names"), json::array({"Ops, \"and\" 你好", ""}));
  EXPECT_EQ(mail.at("defects"), json::array{});
}

TEST_F(EmailSink, AnyMessageIsAWellFormedMail) {
  const MailServer server;
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::Random random(seed);
    message_ = test::RandomMessage(random);
    ASSERT_EQ(Deliver({{"server", server.Address()}}).kind, Outcome::Kind::kDelivered);
    const auto mail = server.Mail(seed);
    ASSERT_EQ(mail.at("defects"), json::array{});
    ASSERT_LE(mail.at("longest_line").as_int64(), 998);
    ASSERT_THAT(Text(mail, "html"), Not(HasSubstr("<!channel")));
  }
}

TEST_F(EmailSink, LaterMailsOfACallAnswerItsFirst) {
  const MailServer server;
  const json::object config{{"server", server.Address()}, {"thread", "call"}};
  const auto first = Deliver(config);
  ASSERT_TRUE(first.has_memory);
  event_.id = "01JD0000000000000000000001";
  const auto second = Deliver(config, first.memory);
  EXPECT_FALSE(second.has_memory);
  const auto mail = server.Mail(1);
  EXPECT_EQ(Header(mail, "In-Reply-To"), "<01JD0000000000000000000000.d-7f@example.com>");
  EXPECT_EQ(Header(mail, "References"), "<01JD0000000000000000000000.d-7f@example.com>");
  EXPECT_EQ(Header(mail, "Message-ID"), "<01JD0000000000000000000001.d-7f@example.com>");
}

TEST_F(EmailSink, AMailIsNoAnswerToItself) {
  const MailServer server;
  const json::object config{{"server", server.Address()}, {"thread", "call"}};
  const auto first = Deliver(config);
  ASSERT_EQ(Deliver(config, first.memory).kind, Outcome::Kind::kDelivered) << "a later step of it, or a replay";
  EXPECT_EQ(Header(server.Mail(1), "In-Reply-To"), "(none)");
}

TEST_F(EmailSink, EncryptsBySTARTTLSAndProvesWhoItIs) {
  const MailServer server({"--certificate", CertificateFile(), "--password", "s3cret"});
  json::object config{{"server", server.Address()},
                      {"security", "starttls"},
                      {"ca_file", CertificateFile()},
                      {"username", "calls"},
                      {"password", "s3cret"}};
  EXPECT_EQ(Deliver(config).kind, Outcome::Kind::kDelivered);
  config["password"] = "wrong";
  const auto outcome = Deliver(config);
  EXPECT_EQ(outcome.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(outcome.code, "smtp_535");
  EXPECT_THAT(outcome.action, HasSubstr("username and password"));
}

TEST_F(EmailSink, EncryptsFromTheFirstByte) {
  const MailServer server({"--certificate", CertificateFile(), "--tls"});
  const auto outcome = Deliver({{"server", server.Address()}, {"security", "tls"}, {"ca_file", CertificateFile()}});
  EXPECT_EQ(outcome.kind, Outcome::Kind::kDelivered) << outcome.reason;
}

TEST_F(EmailSink, TrustsNoCertificateOfItsOwnMaking) {
  const MailServer server({"--certificate", CertificateFile()});
  const auto outcome = Deliver({{"server", server.Address()}, {"security", "starttls"}});
  EXPECT_EQ(outcome.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(outcome.code, "bad_certificate");
  EXPECT_FALSE(server.HasMail());
}

TEST_F(EmailSink, SendsNothingInTheClearUnlessTold) {
  const MailServer server;
  const auto outcome = Deliver({{"server", server.Address()}, {"security", "starttls"}});
  EXPECT_EQ(outcome.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(outcome.code, "no_starttls");
  EXPECT_FALSE(server.HasMail());
}

TEST_F(EmailSink, OneAddressThatHasGoneDoesNotKeepTheMailFromTheOthers) {
  const MailServer server;
  const json::array first{"gone@example.com", "ops@example.com"}, last{"ops@example.com", "gone@example.com"};
  std::size_t mails = 0;
  for (const auto& to : {first, last}) {
    EXPECT_EQ(Deliver({{"server", server.Address()}, {"to", to}}).kind, Outcome::Kind::kDelivered);
    EXPECT_EQ(server.Mail(mails++).at("to"), json::array({"ops@example.com"}));
  }
}

TEST_F(EmailSink, WhoIsToBeTriedLaterIsAndAloneThen) {
  const MailServer server;
  const json::object config{{"server", server.Address()},
                            {"to", {"gone@example.com", "a@example.com", "busy@example.com", "b@example.com"}}};
  const auto first = Deliver(config);
  ASSERT_EQ(first.kind, Outcome::Kind::kNext) << first.reason;
  EXPECT_EQ(first.state, "2");
  EXPECT_EQ(server.Mail().at("to"), json::array({"a@example.com", "b@example.com"}));
  const auto second = Deliver(config, "", std::chrono::seconds(10), first.state);
  EXPECT_EQ(second.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(second.code, "smtp_451");
  const auto changed = Deliver({{"server", server.Address()}}, "", std::chrono::seconds(10), first.state);
  EXPECT_EQ(changed.kind, Outcome::Kind::kRejected);
}

TEST_F(EmailSink, RepliesSayWhatToDo) {
  struct Reply {
    std::vector<std::string> server;
    std::string to;
    Outcome::Kind kind;
    std::string code, action;
  };
  for (const Reply& reply : std::vector<Reply>{
           {{}, "gone@example.com", Outcome::Kind::kMisconfigured, "smtp_550", "check to"},
           {{}, "busy@example.com", Outcome::Kind::kRetry, "smtp_451", ""},
           {{"--mail", "553 5.7.1 not your address"}, "a@b.c", Outcome::Kind::kMisconfigured, "smtp_553", "check from"},
           {{"--mail", "421 4.7.0 too many"}, "a@b.c", Outcome::Kind::kRetry, "smtp_421", ""},
           {{"--data", "452 4.3.1 full"}, "a@b.c", Outcome::Kind::kRetry, "smtp_452", ""},
           {{"--data", "554 5.6.0 spam"}, "a@b.c", Outcome::Kind::kRejected, "smtp_554", ""},
           {{"--password", "x"}, "a@b.c", Outcome::Kind::kMisconfigured, "smtp_530", "username and password"}}) {
    SCOPED_TRACE(reply.code);
    const MailServer server(reply.server);
    const auto outcome = Deliver({{"server", server.Address()}, {"to", {reply.to}}});
    EXPECT_EQ(ToString(outcome.kind), ToString(reply.kind));
    EXPECT_EQ(outcome.code, reply.code) << outcome.reason;
    EXPECT_THAT(outcome.reason, HasSubstr(reply.code.substr(5) + " "));
    EXPECT_THAT(outcome.action, HasSubstr(reply.action));
  }
}

TEST_F(EmailSink, ARefusalIsAboutTheMailTheSenderTheRecipientsTheAccountOrTheServer) {
  struct Refusal {
    std::string verb, reply;
    Outcome::Kind kind;
    std::string action;
  };
  constexpr auto kMail = Outcome::Kind::kRejected, kLater = Outcome::Kind::kRetry,
                 kSink = Outcome::Kind::kMisconfigured;
  for (const Refusal& refusal : std::vector<Refusal>{
           {"CONNECT", "554 5.3.2 no SMTP service here", kSink, "check server"},
           {"CONNECT", "421 4.3.2 shutting down", kLater, ""},
           {"EHLO", "550 5.7.1 bad name", kSink, "set helo"},
           {"MAIL", "552 5.3.4 Message size exceeds fixed limit", kMail, ""},
           {"MAIL", "552 too large", kMail, ""},
           {"MAIL", "550 5.7.1 not your address", kSink, "check from"},
           {"MAIL", "530 5.7.0 Authentication required", kSink, "check username"},
           {"MAIL", "550 5.4.5 Daily user sending limit exceeded", kLater, ""},
           {"RCPT", "550 5.1.1 no such user", kSink, "check to"},
           {"RCPT", "552 5.2.2 mailbox full", kSink, "check to"},
           {"RCPT", "552 5.3.4 size", kMail, ""},
           {"RCPT", "554 5.7.1 <a@b.c>: Relay access denied", kSink, "check server"},
           {"RCPT", "554 5.7.1 Service unavailable; blocked using zen.spamhaus.org", kSink, "check server"},
           {"RCPT", "504 5.5.2 <mail>: Helo command rejected: need fully-qualified hostname", kSink, "set helo"},
           {"RCPT", "450 4.2.0 greylisted", kLater, ""},
           {"DATA", "554 5.5.1 no valid recipients", kSink, "check to"},
           {"DATA", "550 5.5.1 no", kSink, "log"},
           {".", "554 5.7.1 spam", kMail, ""},
           {".", "550 no", kMail, ""},
           {".", "552 5.3.4 too large", kMail, ""},
           {".", "550 5.6.0 malformed", kMail, ""},
           {".", "550 5.1.1 no such user", kSink, "check to"},
           {".", "554 5.2.252 SendAsDenied", kSink, "check from"},
           {".", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", kSink, "check from"},
           {".", "550 5.7.26 Unauthenticated email is not accepted", kSink, "check from"},
           {".", "554 Message rejected: Email address is not verified.", kSink, "check from"},
           {".", "550 5.7.233 tenant limit exceeded", kLater, ""},
           {".", "451 4.3.0 later", kLater, ""}}) {
    SCOPED_TRACE(refusal.verb + ": " + refusal.reply);
    const ScriptedServer server([&](const std::string& verb) {
      const bool is_it = verb == refusal.verb || (verb == "HELO" && refusal.verb == "EHLO");
      return is_it ? refusal.reply : ScriptedServer::Usual(verb);
    });
    const auto outcome = Deliver({{"server", server.Address()}});
    EXPECT_EQ(ToString(outcome.kind), ToString(refusal.kind)) << outcome.reason;
    EXPECT_EQ(outcome.code, "smtp_" + refusal.reply.substr(0, 3));
    EXPECT_THAT(outcome.reason, HasSubstr(refusal.reply));
    EXPECT_THAT(outcome.action, HasSubstr(refusal.action));
    const bool whole_sink = outcome.kind == kSink && refusal.reply != "550 5.5.1 no";
    EXPECT_EQ(outcome.scope == Outcome::Scope::kSink, whole_sink);
    EXPECT_FALSE(outcome.may_have_been_delivered) << "a refusal is clear";
  }
}

TEST_F(EmailSink, AServerThatTakesItsTimeGetsTheMailOnce) {
  std::promise<void> taken;
  const ScriptedServer server([may = taken.get_future().share()](const std::string& verb) {
    if (verb == ".") may.wait();
    return ScriptedServer::Usual(verb);
  });
  const auto sink = Make({{"server", server.Address()}});
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto outcome = Deliver(*sink, std::chrono::milliseconds(400));
    EXPECT_EQ(outcome.kind, Outcome::Kind::kRetry);
    EXPECT_EQ(outcome.code, "timeout");
    EXPECT_TRUE(outcome.may_have_been_delivered);
    EXPECT_THAT(outcome.reason, HasSubstr("the reply to the mail itself"));
  }
  taken.set_value();
  EXPECT_EQ(Deliver(*sink, std::chrono::seconds(10)).kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(Deliver(*sink, std::chrono::seconds(10)).kind, Outcome::Kind::kDelivered) << "a replay is another mail";
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(EmailSink, ACallEndsAtItsDeadlineWhateverTheServerIsInTheMiddleOf) {
  for (const std::string silent : {"CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."}) {
    SCOPED_TRACE(silent);
    const ScriptedServer server(
        [&](const std::string& verb) { return verb == silent ? "" : ScriptedServer::Usual(verb); });
    const auto start = std::chrono::steady_clock::now();
    {
      const auto sink = Make({{"server", server.Address()}});
      const auto outcome = Deliver(*sink, std::chrono::milliseconds(400));
      EXPECT_EQ(outcome.code, "timeout") << outcome.reason;
      EXPECT_EQ(outcome.may_have_been_delivered, silent == ".");
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2)) << "the sink's end included";
  }
}

TEST_F(EmailSink, AServerThatDoesNotSayGoodbyeHoldsNothingUp) {
  const ScriptedServer server(
      [](const std::string& verb) { return verb == "QUIT" ? "" : ScriptedServer::Usual(verb); });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Deliver({{"server", server.Address()}}).kind, Outcome::Kind::kDelivered);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
}

TEST_F(EmailSink, AServerThatAnswersNothingIsNotGivenOneMailAfterTheOther) {
  const ScriptedServer server([](const std::string& verb) { return verb == "." ? "" : ScriptedServer::Usual(verb); });
  const auto sink = Make({{"server", server.Address()}});
  constexpr int kMails = 12, kMost = 8;
  for (int i = 0; i < kMails; ++i) {
    const auto outcome = Deliver(*sink, std::chrono::milliseconds(250), "d-" + std::to_string(i));
    EXPECT_EQ(outcome.code, i < kMost ? "timeout" : "too_many_on_the_way");
  }
  EXPECT_EQ(server.connections(), kMost);
}

TEST_F(EmailSink, NamesItselfInFullOrByItsAddress) {
  const MailServer server;
  ASSERT_EQ(Deliver({{"server", server.Address()}}).kind, Outcome::Kind::kDelivered);
  EXPECT_THAT(Text(server.Mail(0), "helo"), testing::ContainsRegex("^([^.]+\\..+|\\[.*\\])$"));
  std::size_t mails = 1;
  for (const char* helo : {"calls.example.com", "[192.0.2.7]", "[IPv6:2001:db8::7]"}) {
    ASSERT_EQ(Deliver({{"server", server.Address()}, {"helo", helo}}).kind, Outcome::Kind::kDelivered);
    EXPECT_EQ(Text(server.Mail(mails++), "helo"), helo);
  }
}

TEST_F(EmailSink, NamesArriveWhole) {
  const MailServer server;
  const std::string long_name = "Front Desk of the Northwind Clinic for Appointments in the South Wing and the Annex";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"Ops Team <ops@example.com>", "Ops Team"},
      {R"("Ops, \"Night\" Team" <ops@example.com>)", R"(Ops, "Night" Team)"},
      {R"("Ops"  Team <ops@example.com>)", "Ops Team"},
      {"ops@example.com (Ops Team)", "Ops Team"},
      {"Ops (nights) Team <ops@example.com>", "Ops Team"},
      {R"(5" screen <ops@example.com>)", R"(5" screen)"},
      {R"("a <b> c" <ops@example.com>)", "a <b> c"},
      {"O'Hara-Müller <ops@example.com>", "O'Hara-Müller"},
      {"Dr. A. Rao <ops@example.com>", "Dr. A. Rao"},
      {"ग्राहक सेवा केंद्र पुणे <ops@example.com>", "ग्राहक सेवा केंद्र पुणे"},
      {"カスタマーサポートセンター東京第二営業所 <ops@example.com>", "カスタマーサポートセンター東京第二営業所"},
      {long_name + " <ops@example.com>", long_name},
      {" <ops@example.com> ", ""}};
  std::size_t mails = 0;
  for (const auto& [mailbox, name] : cases) {
    SCOPED_TRACE(mailbox);
    const auto outcome = Deliver({{"server", server.Address()}, {"from", mailbox}, {"to", {mailbox}}});
    ASSERT_EQ(outcome.kind, Outcome::Kind::kDelivered) << outcome.reason;
    const auto mail = server.Mail(mails++);
    EXPECT_EQ(mail.at("names"), json::array({name, name}));
    EXPECT_EQ(mail.at("to"), json::array({"ops@example.com"}));
    EXPECT_EQ(mail.at("defects"), json::array{});
  }
}

TEST_F(EmailSink, WhoIsRefusedInTheEndHoldsUpNobody) {
  const MailServer server;
  const json::object config{{"server", server.Address()}, {"to", {"a@example.com", "gone@example.com"}}};
  const auto outcome = Deliver(config, "", std::chrono::seconds(10), "1");
  EXPECT_EQ(outcome.kind, Outcome::Kind::kDelivered) << "the others have the mail from the step before";
  EXPECT_THAT(outcome.reason, HasSubstr("without some recipients"));
}

TEST_F(EmailSink, AServerThatIsNotThereIsTriedAgain) {
  std::string address;
  {
    const MailServer server;
    address = server.Address();
  }
  const auto outcome = Deliver({{"server", address}});
  EXPECT_EQ(outcome.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(outcome.code, "connect_failed");
  EXPECT_FALSE(outcome.may_have_been_delivered);
}

TEST(EmailConfig, IsCheckedBeforeTheFirstMail) {
  const auto problems = [](const json::object& more) {
    json::object config{{"server", "localhost"}, {"from", "a@b.c"}, {"to", {"a@b.c"}}};
    for (const auto& [key, value] : more) config[key] = value;
    return test::ProblemsOf("email", ToText(config));
  };
  EXPECT_EQ(problems({}), "");
  EXPECT_THAT(problems({{"from", "nobody"}}), testing::StartsWith("/from: from must be an address"));
  for (const char* to : {"a@b.c>\r\nBcc: x@y.z", "a b@c.d", "@c.d", "a@", "<a@b.c", "a@b.c, d@e.f", "ü@b.c", "a@b c",
                         "Ops <a@b.c> x", "Ops <a@b.c", "\"Ops <a@b.c>\"", "a@b.c (", "Ops", "", "\"a\\\"@b.c"}) {
    EXPECT_THAT(problems({{"to", {"ok@b.c", to}}}), testing::StartsWith("/to/1: to must be an address")) << to;
  }
  EXPECT_THAT(problems({{"username", "u"}}), HasSubstr("go together"));
  EXPECT_THAT(problems({{"username", "u"}, {"password", "p"}, {"security", "none"}}), HasSubstr("in the clear"));
}

}  // namespace
}  // namespace hookswitch

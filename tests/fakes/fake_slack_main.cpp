#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>

#include "tests/fakes/fake_slack.h"

/// A stand-in for Slack's incoming webhooks on 127.0.0.1. Ends with SIGTERM or SIGINT.
int main(int argc, char** argv) {
  using hookswitch::fakes::FakeSlack;
  CLI::App app{"A stand-in for Slack's incoming webhooks, for testing hookswitch.", "hookswitch-fake-slack"};
  FakeSlack::Options options;
  std::string out_path;
  app.add_option("--port", options.port, "port on 127.0.0.1; 0 picks a free one");
  app.add_option("--keep", options.keep, "how many requests to remember for /_messages");
  app.add_option("--out", out_path, "append each posted body to this file, one a line");
  CLI11_PARSE(app, argc, argv);

  std::ofstream out;
  if (!out_path.empty()) {
    out.open(out_path, std::ios::app);
    if (!out) {
      std::fprintf(stderr, "cannot write %s\n", out_path.c_str());
      return 1;
    }
  }
  options.on_request = [&](const FakeSlack::Request& request) {
    if (out.is_open() && request.posted) out << request.body << '\n' << std::flush;
  };

  // Blocked before the server's thread starts, so that only sigwait sees them.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  auto slack = FakeSlack::Start(std::move(options));
  if (!slack) {
    std::fprintf(stderr, "%s\n", slack.error().message.c_str());
    return 1;
  }
  std::printf("listening on 127.0.0.1:%u\n", static_cast<unsigned>((*slack)->Port()));
  std::fflush(stdout);
  int signal_number = 0;
  sigwait(&stop, &signal_number);
  return 0;
}

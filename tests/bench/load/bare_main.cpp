#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/ThreadPool.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>

// The yardstick: what Poco's HTTP server costs when nothing is done with a request but to read it and answer 200.
namespace {

constexpr char kBody[] = R"({"ok":true})";

class Drain final : public Poco::Net::HTTPRequestHandler {
 public:
  void handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response) override {
    char buffer[16 * 1024];
    std::istream& body = request.stream();
    while (body.read(buffer, sizeof buffer) || body.gcount() > 0) {
    }
    response.setContentType("application/json");
    response.sendBuffer(kBody, sizeof kBody - 1);
  }
};

class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
    return new Drain;
  }
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A bare Poco HTTP server that drains the body and answers 200.", "hookswitch-bare"};
  int threads = 256;
  app.add_option("--threads", threads, "most connections served at once");
  CLI11_PARSE(app, argc, argv);

  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  Poco::ThreadPool pool(2, threads);
  Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0));
  auto parameters = Poco::makeAuto<Poco::Net::HTTPServerParams>();
  parameters->setMaxThreads(threads);
  parameters->setMaxQueued(4096);
  Poco::Net::HTTPServer server(new Factory, pool, socket, parameters);
  server.start();
  std::printf("listening on %s\n", socket.address().toString().c_str());
  std::fflush(stdout);
  int signal_number = 0;
  sigwait(&stop, &signal_number);
  server.stopAll(true);
  return 0;
}

#pragma once
#include <string>
#include <vector>

namespace hookswitch::test {

/// What the answer of a service is about: the tables in sinks/*/README.md.
enum class About { kMessage, kPlace, kSink, kUnknown, kLater };

struct Answer {
  int status;
  std::string body;
  About about;
  std::string code;  ///< of the outcome; "": any
  int requests = 1;  ///< of a delivery, each of them answered so: a layout that is refused goes out once more as text
};

/// A service that an HTTP sink posts to.
struct Service {
  std::string name;    ///< of the service, as tests are named
  std::string sink;    ///< its plugin
  std::string config;  ///< to "http://127.0.0.1:@PORT@"; where the sink has several places, those of the rule "bad" go
                       ///< to another one
  Answer taken;        ///< what it answers to what it takes
  std::vector<Answer> answers;  ///< all others that mean something of their own

  std::string At(int port) const;  ///< the config with the port
};

/// Every one that a bundled sink speaks to.
std::vector<Service> Services();

}  // namespace hookswitch::test

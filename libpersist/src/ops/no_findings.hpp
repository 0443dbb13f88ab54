// For reading again what has been read: what is found then was told already.
#pragma once

#include "persist/finding.hpp"

namespace persist {

class NoFindings : public FindingSink {
 public:
  void report(const Finding& /*finding*/) override {}
};

}  // namespace persist

"""The screen: words, sizes, touches and the pages themselves, on real pixels off-screen."""

"""A camera that reads codes; frames come from OpenCV, decoding from zxing-cpp and zbar."""

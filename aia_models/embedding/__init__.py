"""Face networks that make templates of images, block by block.

Other rooms use `open_network.open_network`, the `face_network.FaceNetwork` that it returns, and from `template_blocks`
the type `TemplateBlock` and `cut_into_template_blocks`. onnxruntime and dlib are imported when a network is opened.
"""

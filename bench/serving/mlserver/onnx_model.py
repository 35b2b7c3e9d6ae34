"""An ONNX classifier in MLServer: the smallest runtime that answers as a gateway does, with a label and probabilities."""
import numpy
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class OnnxModel(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, options)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        values = NumpyCodec.decode_input(payload.inputs[0])
        (logits,) = self.session.run(None, {self.session.get_inputs()[0].name: values})
        shifted = numpy.exp(logits - logits.max(axis=1, keepdims=True))
        outputs = [
            NumpyCodec.encode_output("label", logits.argmax(axis=1)),
            NumpyCodec.encode_output("probabilities", shifted / shifted.sum(axis=1, keepdims=True)),
        ]
        return InferenceResponse(model_name=self.name, outputs=outputs)
